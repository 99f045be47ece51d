// Forward passes of the presets with random weights, and the plain GEMMs that they are measured by.
// Counters: GFLOP/s (2 per multiply-accumulate, counted from the spec, whatever the type is),
// faces/s or clips/s. Run with --benchmark_min_time=3 on an idle machine; ONEDNN_MAX_CPU_ISA
// chooses the kernels.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstring>
#include <dnnl.hpp>
#include <filesystem>

#include "core/cpu.h"
#include "core/presets.h"
#include "mien/recognizer.hpp"
#include "model_on_disk.h"
#include "report/cost.h"

namespace {

using namespace mien;  // NOLINT: a program, not a header

const mien::testing::TempFolder& folder() {
  static const mien::testing::TempFolder made;
  return made;
}

core::ModelConfig preset(const std::string& name, bool temporal) {
  core::ModelConfig config = *core::find_preset(name);
  config.s2d.temporal = temporal;
  config.s2d.with_landmark = config.arch == core::Arch::kS2D;
  return config;
}

void report(benchmark::State& state, const core::ModelConfig& config, int frames, int items) {
  const auto cost = report::model_cost(config, frames, 0);
  const double flops = 2e9 * cost->gmacs * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(flops / 1e9, benchmark::Counter::kIsRate);
  state.SetItemsProcessed(state.iterations() * items);
}

bool sane(std::span<const float> values) {
  for (const float v : values) {
    if (!std::isfinite(v)) return false;
  }
  return true;
}

// name; temporal; frames; threads.
void forward(benchmark::State& state, const std::string& name, bool temporal, Precision precision) {
  const auto frames = static_cast<int>(state.range(0));
  const core::ModelConfig config = preset(name, temporal);
  const auto model =
      Recognizer::load(test::write_random(folder(), config),
                       {.precision = precision, .threads = static_cast<int>(state.range(1))});
  if (!model.ok()) return state.SkipWithError(model.error().to_string().c_str());
  auto session = model->session();
  const auto side = static_cast<std::size_t>(model->input_size());
  const auto faces = test::random_pixels(static_cast<std::size_t>(frames) * side * side * 3, 1);
  std::vector<float> logits(static_cast<std::size_t>(model->num_classes()));
  if (!session->logits(faces, 1, frames, logits).ok() || !sane(logits)) {
    return state.SkipWithError("the result is not sane");
  }
  for (auto _ : state) {
    if (!session->logits(faces, 1, frames, logits).ok()) state.SkipWithError("failed");
  }
  report(state, config, frames, frames);
}

void landmarks(benchmark::State& state, Precision precision) {
  const auto n = static_cast<int>(state.range(0));
  const core::ModelConfig config = preset("landmark", false);
  const auto net =
      LandmarkLocator::load(test::write_random(folder(), config),
                            {.precision = precision, .threads = static_cast<int>(state.range(1))});
  if (!net.ok()) return state.SkipWithError(net.error().to_string().c_str());
  auto session = net->session();
  const auto crops = test::random_pixels(static_cast<std::size_t>(n) * 112 * 112 * 3, 1);
  std::vector<float> points(static_cast<std::size_t>(n) * 136);
  if (!session->locate(crops, n, points).ok() || !sane(points)) {
    return state.SkipWithError("the result is not sane");
  }
  for (auto _ : state) {
    if (!session->locate(crops, n, points).ok()) state.SkipWithError("failed");
  }
  report(state, config, n, n);
}

using DataType = dnnl::memory::data_type;

// One plain matmul of a ViT-B layer: what the machine can do in these types.
void gemm(benchmark::State& state, DataType left, DataType right, DataType sums) {
  using dnnl::memory;
  const memory::dim m = 512, k = 768, n = 3072;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::desc a({m, k}, left, memory::format_tag::ab);
  const memory::desc b({k, n}, right, memory::format_tag::any);
  const memory::desc c({m, n}, sums, memory::format_tag::ab);
  const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(a, b, c), engine, true);
  if (!desc) return state.SkipWithError("oneDNN has no such product here");
  memory x(a, engine), w(desc.weights_desc(), engine), y(c, engine);
  // These bytes are small numbers in every type.
  std::memset(x.get_data_handle(), 0x3E, a.get_size());
  std::memset(w.get_data_handle(), 0x3E, desc.weights_desc().get_size());
  const dnnl::matmul matmul(desc);
  for (auto _ : state) {
    matmul.execute(stream, {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y}});
    stream.wait();
  }
  state.counters["GFLOP/s"] = benchmark::Counter(
      2e-9 * static_cast<double>(m * k * n) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
  state.SetLabel(desc.impl_info_str());
}

}  // namespace

BENCHMARK_CAPTURE(gemm, f32, DataType::f32, DataType::f32, DataType::f32)->UseRealTime();
BENCHMARK_CAPTURE(gemm, bf16, DataType::bf16, DataType::bf16, DataType::f32)->UseRealTime();
BENCHMARK_CAPTURE(gemm, int8, DataType::u8, DataType::s8, DataType::s32)->UseRealTime();
BENCHMARK_CAPTURE(forward, tiny_image_f32, "s2d-tiny", false, Precision::kF32)
    ->Args({1, 1})
    ->Args({1, 2})
    ->Args({16, 1})
    ->Args({16, 2})
    ->UseRealTime();
BENCHMARK_CAPTURE(forward, tiny_image_bf16, "s2d-tiny", false, Precision::kBf16)
    ->Args({16, 2})
    ->UseRealTime();
BENCHMARK_CAPTURE(forward, tiny_image_int8, "s2d-tiny", false, Precision::kInt8)
    ->Args({1, 1})
    ->Args({16, 1})
    ->Args({16, 2})
    ->UseRealTime();
BENCHMARK_CAPTURE(forward, tiny_video_f32, "s2d-tiny", true, Precision::kF32)
    ->Args({16, 1})
    ->Args({16, 2})
    ->UseRealTime();
BENCHMARK_CAPTURE(forward, tiny_video_int8, "s2d-tiny", true, Precision::kInt8)
    ->Args({16, 1})
    ->Args({16, 2})
    ->UseRealTime();
BENCHMARK_CAPTURE(forward, base_video_f32, "s2d-base", true, Precision::kF32)
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, base_video_int8, "s2d-base", true, Precision::kInt8)
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, videomae_base_f32, "videomae-base", true, Precision::kF32)
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, videomae_base_bf16, "videomae-base", true, Precision::kBf16)
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, videomae_base_int8, "videomae-base", true, Precision::kInt8)
    ->Args({16, 1})
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, adatosk_base_f32, "adatosk-base", true, Precision::kF32)
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, adatosk_base_bf16, "adatosk-base", true, Precision::kBf16)
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, adatosk_base_int8, "adatosk-base", true, Precision::kInt8)
    ->Args({16, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(forward, adatosk_tiny_f32, "adatosk-tiny", true, Precision::kF32)
    ->Args({16, 1})
    ->Args({16, 2})
    ->UseRealTime();
BENCHMARK_CAPTURE(forward, adatosk_tiny_int8, "adatosk-tiny", true, Precision::kInt8)
    ->Args({16, 1})
    ->Args({16, 2})
    ->UseRealTime();
BENCHMARK_CAPTURE(landmarks, f32, Precision::kF32)
    ->Args({1, 1})
    ->Args({1, 2})
    ->Args({4, 2})
    ->UseRealTime();

int main(int argc, char** argv) {
  mien::core::avoid_amx_without_tiles();  // the GEMMs call oneDNN past the engine
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
