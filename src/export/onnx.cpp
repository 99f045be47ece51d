#include "export/onnx.h"

#include <array>
#include <cstdio>
#include <exception>
#include <new>

#include "core/tensor_table.h"
#include "export/models.h"

namespace mien::exporting {
namespace {

std::string numbers(const std::array<float, 3>& values) {
  std::string text;
  for (const float v : values) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", static_cast<double>(v));
    text += (text.empty() ? "" : ",") + std::string(digits);
  }
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

void add_notes(GraphBuilder& g, const core::ModelConfig& config) {
  g.note("mien.config", core::to_json(config));
  g.note("mien.arch", core::arch_name(config.arch));
  if (!config.classes.empty()) g.note("mien.classes", joined(config.classes));
  g.note("mien.mean", numbers(config.input.mean));
  g.note("mien.std", numbers(config.input.std));
  g.note("mien.gray", config.input.gray ? "1" : "0");
  if (config.arch != core::Arch::kAdaTosk) return;
  char budget[32];
  std::snprintf(budget, sizeof budget, "%.9g", config.adatosk.budget);
  g.note("mien.budget", budget);
}

// The config of the graph: that of the model at the budget asked for.
Result<core::ModelConfig> at_budget(core::ModelConfig config, double budget) {
  if (budget == 0.0) return config;
  if (config.arch != core::Arch::kAdaTosk) {
    return make_error(ErrorCode::kUnsupported, "the model has no soft mask and no budget");
  }
  if (!(budget > 0.0 && budget <= 1.0)) {
    return make_error(ErrorCode::kInvalidArgument, "must be above 0 and at most 1", "budget");
  }
  config.adatosk.budget = budget;
  return config;
}

Status add_network(GraphBuilder& g, const core::ModelConfig& config, const Weights& weights) {
  const core::S2DConfig& s2d = config.s2d;
  switch (config.arch) {
    case core::Arch::kMobileFaceNet: add_mobilefacenet(g, config, weights); return {};
    case core::Arch::kVideoMae: add_videomae(g, config, weights); return {};
    case core::Arch::kAdaTosk: add_adatosk(g, config, weights); return {};
    case core::Arch::kS2D:
      if (s2d.with_landmark &&
          (s2d.in_chans != 3 || s2d.in_chans_l != core::kMobileFaceNetFeatureChannels)) {
        return make_error(ErrorCode::kUnsupported,
                          "the landmark network needs in_chans 3 and in_chans_l 128", "config");
      }
      add_s2d(g, config, weights);
      return {};
  }
  return make_error(ErrorCode::kUnsupported, "of an unknown architecture", "config");
}

Result<GraphSize> write_graph(const core::ModelConfig& config, const core::TensorViewMap& weights,
                              const OnnxOptions& options, const std::string& path) {
  // What the table does not name must not be taken for a bias.
  core::TensorViewMap known;
  for (const core::TensorSpec& spec : core::tensor_table(config)) {
    known[spec.name] = weights.at(spec.name);
  }
  GraphBuilder g;
  g.sign(options.version, std::string(core::arch_name(config.arch)) +
                              "; input: (pixel / 255 - mean) / std per channel, see the metadata");
  add_notes(g, config);
  MIEN_TRY(add_network(g, config, Weights(known)));
  return g.write(path);
}

}  // namespace

Result<GraphSize> export_onnx(const core::ModelConfig& original, const core::TensorViewMap& weights,
                              const OnnxOptions& options, const std::string& path) {
  try {
    MIEN_TRY(core::validate(original));
    MIEN_TRY(core::check_tensors(core::tensor_table(original), weights));
    MIEN_ASSIGN(const core::ModelConfig config, at_budget(original, options.budget));
    return write_graph(config, weights, options, path);
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kLimit, "not enough memory for the graph", path);
  } catch (const std::exception& error) {
    return make_error(ErrorCode::kInternal, error.what(), path);
  }
}

}  // namespace mien::exporting
