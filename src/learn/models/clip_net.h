// A classifier of clips, whatever its architecture.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "core/model_config.h"
#include "learn/adatosk_training.h"

namespace mien::learn {

struct ClipNetOptions {
  double drop_path = 0.0;   // of the last block; grows linearly from 0 over the depth
  double layer_drop = 0.0;  // S2D: see S2DTrainOptions
  bool recompute = false;   // gradient checkpointing
  AdaToskTraining adatosk;  // of AdaTosk alone
};

class ClipNet {
 public:
  struct Output {
    torch::Tensor logits;   // [B, classes] f32
    torch::Tensor feature;  // [B, D], what the classifier reads
    torch::Tensor mask;     // [B] mean of a soft mask over the clip, 0..1; undefined without one
  };
  // A batch to learn from.
  struct Lesson {
    torch::Tensor clips;     // as forward() takes them
    torch::Tensor target;    // [B, classes], soft
    torch::Tensor course{};  // [B, T], ClipBatch::course; undefined: of no clip is it known
    std::uint64_t seed = 0;  // of what the net itself draws
  };

  virtual ~ClipNet() = default;
  virtual torch::nn::Module& module() = 0;
  // clips [B, 3, T, S, S], normalised.
  virtual Output forward(const torch::Tensor& clips) = 0;
  virtual std::int64_t feature_dim() const = 0;
  // The whole loss of a batch, a scalar, for a net that learns more than to classify; undefined for
  // one whose loss is that of its logits.
  virtual torch::Tensor own_loss(const Lesson& lesson) {
    (void)lesson;
    return {};
  }
  // false: it learns by own_loss() without labels, and its logits mean nothing.
  virtual bool classifies() const { return true; }
  // After requires_grad of the parameters is settled: parts that do not train stop computing
  // gradients and updating statistics.
  virtual void settle_frozen() {}
  // Whether own_loss() and forward() may run for several batches at a time in training mode, each
  // under a MicroBatchScope. Not where statistics of BatchNorm are learnt or blocks recomputed.
  virtual bool runs_apart() const { return false; }
};

// The module of config.arch (S2D, VideoMAE or AdaTosk), with fresh weights. Error kUnsupported for
// another.
Result<std::unique_ptr<ClipNet>> make_clip_net(const core::ModelConfig& config,
                                               const ClipNetOptions& options);

}  // namespace mien::learn
