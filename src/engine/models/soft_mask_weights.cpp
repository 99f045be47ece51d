#include <cmath>

#include "core/s2d_spec.h"
#include "engine/kernels/row_ops.h"
#include "engine/kernels/vector_ops.h"
#include "engine/models/soft_mask.h"

namespace mien::engine {
namespace {

double softplus(double x) {
  return x > 30.0 ? x : std::log1p(std::exp(x));
}

double softplus_of(const TensorSource& source, const std::string& name) {
  return softplus(static_cast<double>(source.floats(name).at(0)));
}

SoftMaskWeights::Factor read_factor(const TensorSource& source) {
  return {.scale = softplus_of(source, "scale"),
          .offset = static_cast<double>(source.floats("offset").at(0)),
          .repeat = softplus_of(source, "repeat")};
}

// Of r of the spec. Transposed, since a token's units are summed side by side.
void read_hidden(const TensorSource& source, SoftMaskWeights& w) {
  w.hidden_bias = source.floats("hidden.bias");
  w.readout = source.floats("readout");
  const std::vector<float> rows = source.floats("hidden.weight");
  const std::size_t units = w.readout.size();
  const std::size_t width = w.width();
  w.hidden.resize(rows.size());
  for (std::size_t k = 0; k < units; ++k) {
    for (std::size_t i = 0; i < width; ++i) w.hidden[i * units + k] = rows[k * width + i];
  }
}

}  // namespace

SoftMaskWeights SoftMaskWeights::read(const TensorSource& source,
                                      const core::AdaToskConfig& config) {
  SoftMaskWeights w;
  w.shape = {static_cast<std::size_t>(config.vit.slots()),
             static_cast<std::size_t>(config.vit.grid())};
  w.norm = read_norm(source, "mask.norm", core::kVitNormEps);
  w.slot_mean = source.floats("mask.slot_mean");
  w.aux_head = read_head(source, "aux_head");
  w.background = config.background;
  const std::size_t classes = w.aux_head.classes();
  const std::size_t width = w.width();
  w.prototypes = w.aux_head.weight;
  std::vector<float> mean(width);
  weighted_mean(w.prototypes.data(), nullptr, classes, width, mean.data());
  subtract_row(w.prototypes.data(), classes, mean.data(), width);
  w.prototype_lengths.resize(classes);
  row_lengths(w.prototypes.data(), classes, width, w.prototype_lengths.data());
  if (config.agnostic) {
    w.agnostic = read_factor(source.under("mask.agnostic."));
    if (config.agnostic_hidden > 0) read_hidden(source.under("mask.agnostic."), w);
  }
  if (config.semantic) {
    w.semantic = read_factor(source.under("mask.semantic."));
    w.sharpness = softplus_of(source, "mask.semantic.sharpness");
  }
  return w;
}

}  // namespace mien::engine
