#include "engine/models/mobilefacenet.h"

#include <algorithm>

#include "engine/guard.h"
#include "engine/kernels/image.h"
#include "engine/kernels/vector_ops.h"
#include "engine/models/plan_sizes.h"
#include "engine/parallel.h"

namespace mien::engine {
namespace {

constexpr std::size_t kBatch = 4;  // pictures per pass: more do not fit in the cache
constexpr std::size_t kChannels = 512;
constexpr std::size_t kPlaces = 49;

// out[n, c] = bias[c] + sum over places of map[n, place, c] * filters[c, place].
void global_depthwise(const MobileFaceNetWeights& w, const float* map, std::size_t batch,
                      float* out) {
  for (std::size_t n = 0; n < batch; ++n) {
    float* to = out + n * kChannels;
    std::copy(w.gdc_bias.begin(), w.gdc_bias.end(), to);
    for (std::size_t p = 0; p < kPlaces; ++p) {
      const float* from = map + (n * kPlaces + p) * kChannels;
      for (std::size_t c = 0; c < kChannels; ++c)
        to[c] += from[c] * w.gdc_filters[p * kChannels + c];
    }
  }
}

// Gives the tap a stage output under its golden name: channel planes, of picture 0 except for
// conv_4, which is the feature of all.
void tap_stage(Tap& tap, std::size_t batch, const std::string& stage, const void* data,
               ActKind kind, std::size_t side, std::size_t channels) {
  const bool feature = stage == "conv_4";
  const bool early = stage == "conv1" || stage == "conv2_dw";
  const std::size_t pictures = feature ? batch : 1;
  const std::size_t planes = early ? std::min<std::size_t>(8, channels) : channels;
  const std::size_t places = side * side;
  std::vector<float> values(pictures * places * channels);
  load_act(data, kind, values.size(), values.data());
  std::vector<float> planar(pictures * planes * places);
  for (std::size_t n = 0; n < pictures; ++n) {
    for (std::size_t c = 0; c < planes; ++c) {
      for (std::size_t p = 0; p < places; ++p) {
        planar[(n * planes + c) * places + p] = values[(n * places + p) * channels + c];
      }
    }
  }
  const auto i = [](std::size_t v) { return static_cast<std::int64_t>(v); };
  if (feature) {
    tap.put("feat", planar, {i(pictures), i(planes), i(side), i(side)});
  } else {
    tap.put(stage + (early ? ".img0.ch0_7" : ".img0"), planar, {i(planes), i(side), i(side)});
  }
}

}  // namespace

Result<std::shared_ptr<const MobileFaceNetWeights>> MobileFaceNetWeights::load(
    std::shared_ptr<const Context> context, const core::ModelConfig& config,
    const core::TensorViewMap& tensors) {
  return guarded([&]() -> Result<std::shared_ptr<const MobileFaceNetWeights>> {
    const TensorSource source(tensors, "");
    auto weights = std::make_shared<MobileFaceNetWeights>();
    weights->context = context;
    weights->config = config;
    auto stages = core::mobilefacenet_trunk();
    for (auto& stage : core::mobilefacenet_tail()) stages.push_back(stage);
    weights->chain = ConvChainWeights::read(context, source, stages, false);
    const std::string gdc = core::mobilefacenet_gdc().name;
    const FoldedNorm norm = fold_batch_norm(source, gdc + ".bn");
    const std::vector<float> filters = source.floats(gdc + ".conv.weight");
    weights->gdc_filters.resize(filters.size());
    for (std::size_t c = 0; c < kChannels; ++c) {
      for (std::size_t p = 0; p < kPlaces; ++p) {
        weights->gdc_filters[p * kChannels + c] = filters[c * kPlaces + p] * norm.scale[c];
      }
    }
    weights->gdc_bias = norm.shift;
    weights->linear = LinearWeights::read(context, source, "output_layer.linear");
    weights->norm = fold_batch_norm(source, "output_layer.bn");
    return std::shared_ptr<const MobileFaceNetWeights>(std::move(weights));
  });
}

// The network bound to a batch.
class MobileFaceNetRunner::Plan {
 public:
  Plan(const MobileFaceNetWeights& w, std::size_t batch)
      : weights_(&w),
        batch_(batch),
        pictures_(arena_.reserve_for<float>(batch * w.side() * w.side() * 3)),
        chain_(w.chain, batch, w.side(), arena_),
        linear_(w.linear, batch, Epilogue::kNone, LinearOut::kF32),
        map_(arena_.reserve_for<float>(batch * kPlaces * kChannels)),
        pooled_(arena_.reserve_for<float>(batch * kChannels)),
        pooled_act_(arena_.reserve_for<float>(batch * kChannels)),
        scratch_(arena_.reserve(std::max(chain_.scratch_bytes(), linear_.scratch_bytes()))) {}

  Status allocate() { return arena_.allocate(); }

  void run(const dnnl::stream& stream, const PictureInput& input, float* points, Tap* tap) {
    const std::size_t side = weights_->side();
    auto* pictures = arena_.at<float>(pictures_);
    if (input.rgb != nullptr) {
      normalize_pixels(input.rgb, batch_, side, weights_->config.input, 3, pictures);
    } else {
      planar_to_frames(input.planar, side * side, 3 * side * side, batch_, side, 3, pictures);
    }
    const void* map = run_chain(stream, pictures, tap);
    const ActKind kind = weights_->context->act();
    load_act(map, kind, batch_ * kPlaces * kChannels, arena_.at<float>(map_));
    auto* pooled = arena_.at<float>(pooled_);
    global_depthwise(*weights_, arena_.at<float>(map_), batch_, pooled);
    store_act(pooled, batch_ * kChannels, kind, arena_.at(pooled_act_));
    linear_.run(stream, arena_.at(pooled_act_), points, arena_.at(scratch_));
    const std::size_t outputs = weights_->outputs();
    if (tap != nullptr) {
      const auto n = static_cast<std::int64_t>(batch_);
      tap->put("output_layer.conv_6_dw", {pooled, batch_ * kChannels}, {n, kChannels});
      tap->put("output_layer.linear", {points, batch_ * outputs},
               {n, static_cast<std::int64_t>(outputs)});
    }
    const FoldedNorm& norm = weights_->norm;
    for (std::size_t i = 0; i < batch_ * outputs; ++i) {
      points[i] = points[i] * norm.scale[i % outputs] + norm.shift[i % outputs];
    }
  }

 private:
  const void* run_chain(const dnnl::stream& stream, const float* pictures, Tap* tap) {
    if (tap == nullptr) return chain_.run(stream, arena_, pictures, arena_.at(scratch_), nullptr);
    const ConvChain::Observer observer = [&](const std::string& stage, const void* data,
                                             ActKind kind, std::size_t side, std::size_t channels) {
      tap_stage(*tap, batch_, stage, data, kind, side, channels);
    };
    return chain_.run(stream, arena_, pictures, arena_.at(scratch_), &observer);
  }

  const MobileFaceNetWeights* weights_;
  std::size_t batch_;
  Arena arena_;
  Slot pictures_;
  ConvChain chain_;
  Linear linear_;
  Slot map_, pooled_, pooled_act_, scratch_;
};

struct MobileFaceNetRunner::Worker {
  explicit Worker(const dnnl::engine& engine) : stream(engine) {}

  dnnl::stream stream;
  std::map<std::size_t, std::unique_ptr<Plan>> plans;  // by pictures of a pass
};

MobileFaceNetRunner::MobileFaceNetRunner(std::shared_ptr<const MobileFaceNetWeights> weights)
    : weights_(std::move(weights)) {
  for (int i = 0; i < weights_->context->threads(); ++i) {
    workers_.push_back(std::make_unique<Worker>(weights_->context->engine()));
  }
}

MobileFaceNetRunner::~MobileFaceNetRunner() = default;

// A picture is too little work for several threads (see worth_sharing): every pass has one.
Status MobileFaceNetRunner::make_plans(Worker& worker, std::size_t n) {
  const ThreadScope scope(1);
  for (std::size_t done = 0; done < n;) {
    const std::size_t batch = next_pass(n - done, kBatch);
    auto& place = worker.plans[batch];
    if (!place) {
      auto made = std::make_unique<Plan>(*weights_, batch);
      MIEN_TRY(made->allocate());
      place = std::move(made);
    }
    done += batch;
  }
  return {};
}

Status MobileFaceNetRunner::prepare() {
  return guarded([&]() -> Status { return make_plans(*workers_[0], 1); });
}

PictureInput MobileFaceNetRunner::advanced(const PictureInput& input, std::size_t n) const {
  const std::size_t values = n * weights_->side() * weights_->side() * 3;
  return {input.rgb == nullptr ? nullptr : input.rgb + values,
          input.planar == nullptr ? nullptr : input.planar + values};
}

void MobileFaceNetRunner::run_part(Worker& worker, const PictureInput& input, std::size_t n,
                                   float* points, Tap* tap) {
  const ThreadScope scope(1);
  for (std::size_t done = 0; done < n;) {
    const std::size_t batch = next_pass(n - done, kBatch);
    worker.plans.at(batch)->run(worker.stream, advanced(input, done),
                                points + done * weights_->outputs(), tap);
    done += batch;
  }
}

Status MobileFaceNetRunner::run(const PictureInput& input, std::size_t n, float* points, Tap* tap) {
  return guarded([&]() -> Status {
    const std::size_t parts = tap != nullptr ? 1 : std::clamp<std::size_t>(n, 1, workers_.size());
    const auto begin = [&](std::size_t part) { return n * part / parts; };
    for (std::size_t part = 0; part < parts; ++part) {
      MIEN_TRY(make_plans(*workers_[part], begin(part + 1) - begin(part)));
    }
    SharedStatus status;
    parallel_parts(parts, [&](std::size_t part) {
      const std::size_t first = begin(part);
      status.add(guarded([&]() -> Status {
        run_part(*workers_[part], advanced(input, first), begin(part + 1) - first,
                 points + first * weights_->outputs(), tap);
        return {};
      }));
    });
    return status.take();
  });
}

}  // namespace mien::engine
