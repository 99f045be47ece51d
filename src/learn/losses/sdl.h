// S2D's emotion-anchor self-distillation (SDL; Chen et al., arXiv 2312.05447; NOTES.md section 4):
// what the model said of similar clips before becomes a soft second label of the clip at hand.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "mien/result.hpp"

namespace mien::learn {

struct SdlOptions {
  std::int64_t classes = 7;  // C
  std::int64_t dim = 768;    // D, of the feature the head sees
  std::int64_t size = 16;    // anchors kept per class
  std::int64_t nearest = 2;  // anchors of each class that make a soft target; at most `size`
  std::uint64_t seed = 1;    // of the random first anchors
};

// The anchors nearest to each sample: both [B, C, nearest], the most similar first.
struct NearestAnchors {
  torch::Tensor similarity;  // f64, cosine, -1..1
  torch::Tensor slot;        // i64, 0..size-1
};

// Per class a queue of features with the model's answers to them, oldest first. Both start as
// uniform numbers in [0, 1), so the first answers are not distributions yet.
//
// The official code keeps the queues out of its checkpoints, so that a resumed run starts with new
// random ones. Here they are the module's buffers "Queue" [C, size, D] and "Probe" [C, size, C]
// (the official names), which named_state() lists and load_state() restores: stored with the
// training state they make a resumed run bit-identical. Nothing in here is learnt by gradient. Not
// safe for concurrent update.
struct EmotionAnchorsImpl : torch::nn::Module {
  explicit EmotionAnchorsImpl(const SdlOptions& options);

  // Appends each sample to the queue of its class, in order, dropping that queue's oldest: feature
  // [B, D], softmax of logits [B, C], labels [B] i64. Error kInvalidArgument, and nothing stored,
  // when a shape does not fit or a label is outside 0..C-1.
  Status update(const torch::Tensor& feature, const torch::Tensor& logits,
                const torch::Tensor& labels);

  // The most similar anchors of every class, for feature [B, D].
  NearestAnchors nearest(const torch::Tensor& feature) const;

  // [B, C] f32, without gradient: the answers of the C * nearest anchors, weighted by similarity:
  // sum(similarity * answer) / sum(similarity). Similarities are neither cut at 0 nor normalised
  // otherwise (as the official code), so targets may leave 0..1.
  torch::Tensor soft_targets(const torch::Tensor& feature) const;

  // Binary cross-entropy with logits against soft_targets(feature), mean over all B * C entries:
  // before sdl_weight. Gradient flows through logits [B, C] alone.
  torch::Tensor loss(const torch::Tensor& feature, const torch::Tensor& logits) const;

  torch::Tensor queue;  // "Queue"
  torch::Tensor probe;  // "Probe"

 private:
  SdlOptions options_;
};
TORCH_MODULE(EmotionAnchors);

// Weight of the loss in an epoch (0-based): 0 before epoch 30, then 0.01, from 50 on 0.1, from 60
// on 0.5, from 80 on 1.
double sdl_weight(std::int64_t epoch);

// Whether the queues are fed in an epoch (0-based): after epoch 20, every `frequency` epochs. After
// each optimizer step of such an epoch the official recipe runs the unmixed batch through the model
// once more, in training mode, and updates with that. Frequency 40 means epochs 40 and 80;
// frequency 100 (its FERV39k script) means never within 100 epochs. False when frequency < 1.
bool sdl_updates_at(std::int64_t epoch, std::int64_t frequency);

// The epoch of the official recipe, which has a hundred, that a run is in: 0-based, when `done` of
// the `whole` epochs (> 0) that the schedule is laid over are behind it. For the two functions
// above, where a run is too short for the schedule as it stands.
std::int64_t sdl_recipe_epoch(double done, double whole);

}  // namespace mien::learn
