#include "cli/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "report/text.h"

namespace mien::cli {
namespace {

using engine::EngineOptions;

void tell(const CalibrationTask& task, const std::string& news) {
  if (task.on_news) task.on_news(news);
}

Result<std::vector<float>> ask(const CalibrationTask& task, const EngineOptions& options,
                               std::size_t samples) {
  MIEN_ASSIGN(std::vector<float> logits, task.answers(options, samples));
  if (logits.size() == samples * task.classes) return logits;
  return make_error(ErrorCode::kInvalidArgument, "the answers are not samples x classes");
}

EngineOptions int8_without(std::vector<std::string> keep) {
  EngineOptions options;
  options.precision = Precision::kInt8;
  options.keep = std::move(keep);
  return options;
}

// The largest logit's place; `classes`, which is none, where one is not finite.
std::size_t class_of(std::span<const float> logits) {
  for (const float v : logits) {
    if (!std::isfinite(v)) return logits.size();
  }
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::vector<std::size_t> classes_of(const CalibrationTask& task, std::span<const float> logits) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < logits.size(); i += task.classes) {
    out.push_back(class_of(logits.subspan(i, task.classes)));
  }
  return out;
}

// The share of places at which the two are the same.
double share_equal(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(a.size());
}

double mean_square(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  const double mean = sum / static_cast<double>(a.size());
  return std::isfinite(mean) ? mean : std::numeric_limits<double>::infinity();
}

// The layers, the one that alone in int8 does most harm first.
Result<std::vector<std::string>> rank(const CalibrationTask& task, const std::vector<float>& f32) {
  const std::size_t samples = std::min(task.truths.size(), kRankingSamples);
  const std::span<const float> wanted = std::span(f32).first(samples * task.classes);
  std::vector<std::pair<double, std::string>> harm;
  for (const std::string& layer : task.layers) {
    std::vector<std::string> others = task.layers;
    std::erase(others, layer);
    tell(task, layer + " alone in int8");
    MIEN_ASSIGN(const std::vector<float> got, ask(task, int8_without(std::move(others)), samples));
    harm.emplace_back(mean_square(got, wanted), layer);
  }
  // Layers of equal harm stay in their order.
  std::stable_sort(harm.begin(), harm.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> ranked;
  for (auto& [error, layer] : harm) ranked.push_back(std::move(layer));
  return ranked;
}

// Tries int8 with `keep` left out and notes the figures; whether they are within the limits.
Result<bool> try_int8(const CalibrationTask& task, const std::vector<std::size_t>& f32,
                      std::vector<std::string> keep, core::Quantization& out) {
  out.keep = std::move(keep);
  tell(task, "int8 without " + std::to_string(out.keep.size()) + " layers");
  MIEN_ASSIGN(const std::vector<float> logits,
              ask(task, int8_without(out.keep), task.truths.size()));
  const std::vector<std::size_t> said = classes_of(task, logits);
  out.agreement = share_equal(said, f32);
  out.accuracy_int8 = share_equal(said, task.truths);
  tell(task, "  agrees with f32 on " + report::fixed(100.0 * out.agreement, 2) + " %, right on " +
                 report::fixed(100.0 * out.accuracy_int8, 2) + " %");
  // Shares of the same samples: a difference that is exactly the limit must not fail by rounding.
  constexpr double kRounding = 1e-9;
  const double loss = out.accuracy_f32 - out.accuracy_int8;
  return out.agreement >= task.limits.agreement - kRounding &&
         loss <= task.limits.accuracy_loss + kRounding;
}

}  // namespace

Result<core::Quantization> calibrate(const CalibrationTask& task) {
  if (task.layers.empty() || task.truths.empty() || task.classes == 0) {
    return make_error(ErrorCode::kInvalidArgument, "there is nothing to calibrate");
  }
  const std::size_t samples = task.truths.size();
  core::Quantization out;
  out.samples = static_cast<std::int64_t>(samples);
  tell(task, "f32");
  MIEN_ASSIGN(const std::vector<float> f32, ask(task, {.precision = Precision::kF32}, samples));
  const std::vector<std::size_t> wanted = classes_of(task, f32);
  out.accuracy_f32 = share_equal(wanted, task.truths);
  tell(task, "bf16");
  MIEN_ASSIGN(const std::vector<float> bf16, ask(task, {.precision = Precision::kBf16}, samples));
  out.accuracy_bf16 = share_equal(classes_of(task, bf16), task.truths);

  MIEN_ASSIGN(out.int8, try_int8(task, wanted, {}, out));
  if (out.int8) return out;
  MIEN_ASSIGN(const std::vector<std::string> ranked, rank(task, f32));
  const auto most =
      static_cast<std::size_t>(task.limits.kept * static_cast<double>(task.layers.size()));
  for (std::size_t kept = 1; kept <= most && !out.int8; ++kept) {
    const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(kept);
    std::vector<std::string> keep(ranked.begin(), end);
    MIEN_ASSIGN(out.int8, try_int8(task, wanted, std::move(keep), out));
  }
  return out;
}

}  // namespace mien::cli
