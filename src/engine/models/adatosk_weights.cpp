#include "engine/models/adatosk_weights.h"

#include "core/adatosk_spec.h"
#include "core/s2d_spec.h"
#include "engine/guard.h"

namespace mien::engine {
namespace {

ConvChainWeights read_stem(const std::shared_ptr<const Context>& context,
                           const TensorSource& source, const core::AdaToskConfig& config) {
  std::vector<core::MobileFaceNetStage> stages;
  for (const core::ConvBlockSpec& block : core::adatosk_stem(config)) {
    core::MobileFaceNetStage stage;
    stage.name = block.name;
    stage.convs.push_back(block);
    stages.push_back(std::move(stage));
  }
  return ConvChainWeights::read(context, source, stages, true);
}

double stem_macs(const core::AdaToskConfig& config) {
  double macs = 0.0;
  double side = config.vit.img_size;
  for (const core::ConvBlockSpec& block : core::adatosk_stem(config)) {
    side /= block.stride;
    macs += side * side * block.in * block.out * block.kernel * block.kernel;
  }
  return macs * config.vit.slots();
}

}  // namespace

Result<std::shared_ptr<const AdaToskWeights>> AdaToskWeights::load(
    std::shared_ptr<const Context> context, const core::ModelConfig& config,
    const core::TensorViewMap& tensors) {
  return guarded([&]() -> Result<std::shared_ptr<const AdaToskWeights>> {
    const core::AdaToskConfig& c = config.adatosk;
    const TensorSource source(tensors, "");
    auto w = std::make_shared<AdaToskWeights>();
    w->context = context;
    w->config = config;
    if (c.stem.empty()) {
      w->patch_proj = PatchProjection::read(context, source, "patch_embed.proj", config.input);
    } else {
      w->stem = read_stem(context, source, c);
      w->patch_proj.values = LinearWeights::read(context, source, "patch_embed.proj");
    }
    w->positions = core::adatosk_positions(c);
    w->slot_positions = core::adatosk_slot_positions(c);
    w->blocks = read_videomae_blocks(context, source, c.vit);
    if (c.masks()) w->mask = SoftMaskWeights::read(source, c);
    w->fc_norm = read_norm(source, "fc_norm", core::kVitNormEps);
    w->head = read_head(source, "head");
    return std::shared_ptr<const AdaToskWeights>(std::move(w));
  });
}

MaskShape AdaToskWeights::mask_shape() const {
  return {static_cast<std::size_t>(sizes().vit.slots()),
          static_cast<std::size_t>(sizes().vit.grid())};
}

double AdaToskWeights::macs_per_clip() const {
  const core::AdaToskConfig& c = sizes();
  const auto kept =
      static_cast<std::size_t>(core::kept_tokens(c.budget, static_cast<std::int64_t>(tokens())));
  const VitStackShape all = gate_shape(mask_shape().slots);
  return stem_macs(c) +
         c.gate * static_cast<double>(all.sequences) * videomae_block_macs(c.vit, all.tokens) +
         (c.vit.depth - c.gate) * videomae_block_macs(c.vit, kept);
}

VitStackShape AdaToskWeights::gate_shape(std::size_t slots) const {
  const std::size_t places = mask_shape().places();
  const bool apart = sizes().slotwise;
  return {.sizes = block_sizes(),
          .begin = 0,
          .end = gate(),
          .sequences = apart ? slots : 1,
          .tokens = apart ? places : slots * places};
}

Result<std::size_t> AdaToskWeights::kept_tokens(double budget) const {
  if (budget == 0.0) budget = sizes().budget;
  if (!(budget > 0.0 && budget <= 1.0)) {
    return make_error(ErrorCode::kInvalidArgument, "must be above 0 and at most 1", "budget");
  }
  return static_cast<std::size_t>(core::kept_tokens(budget, static_cast<std::int64_t>(tokens())));
}

}  // namespace mien::engine
