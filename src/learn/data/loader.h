// Batches of augmented stills, made ahead of the training step by a background thread.
#pragma once

#include <torch/torch.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/model_config.h"
#include "learn/data/augment.h"
#include "learn/data/still_set.h"

namespace mien::learn {

struct Batch {
  torch::Tensor images;         // [B, 3, S, S] f32: (luma - mean) / std per channel
  torch::Tensor target;         // [B, classes] f32, rows sum to 1 (or 0 where there is no label)
  torch::Tensor target_weight;  // [B]
  torch::Tensor points;         // [B, 136] fractions of the crop (0 where unknown)
  torch::Tensor point_weight;   // [B] 0 or 1
};

// How a crop is framed.
enum class Framing {
  kExpression,  // as FERPlus frames faces: the whole framed picture, or the face on the template
  kPoints,      // the square around the points
};

struct LoaderOptions {
  int batch = 64;
  int size = 112;
  Framing framing = Framing::kExpression;
  AugmentOptions augment;
  std::vector<float> face_template;  // for unframed pictures under kExpression
  core::InputNorm input;             // mean and std, as the model file will say
  float max_spread = 0.04F;          // points that spread further are not learnt from
  double balance = 0.0;  // 0: as the data is; 1: every class equally often (oversampling)
  std::uint64_t seed = 1;
  int prefetch = 4;  // batches made ahead
};

// Endless batches. Batch k of a seed is always the same, so training can resume anywhere. The set
// must outlive the loader; next() is for one thread.
class StillLoader {
 public:
  StillLoader(const StillSet& set, LoaderOptions options);
  ~StillLoader();

  std::size_t usable() const { return usable_.size(); }  // pictures drawn from
  void start(std::int64_t first_batch);                  // begins (again) at that batch
  Batch next();

  // Batch number `index`, computed here and now (tests; next() gives the same).
  Batch make(std::int64_t index) const;

 private:
  std::size_t pick(std::int64_t position) const;
  std::vector<std::size_t> permutation(std::int64_t epoch) const;
  void run(std::int64_t first_batch);
  void stop();

  const StillSet& set_;
  LoaderOptions options_;
  std::vector<std::size_t> usable_;
  std::vector<double> cumulative_;  // for balanced drawing; empty otherwise
  mutable std::mutex order_mutex_;
  mutable std::int64_t order_epoch_ = -1;
  mutable std::vector<std::size_t> order_;

  std::thread worker_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  bool stopping_ = false;
};

// Whether there is something to learn from a picture under these rules: points to be found, or a
// label and a frame for it.
bool is_usable(const Still& still, const LoaderOptions& options);

// The frame of a still without augmentation.
CropFrame base_frame(const Still& still, Framing framing, const std::vector<float>& face_template);

// Crops of all `indices` without augmentation, normalised: [n, 3, S, S].
torch::Tensor plain_batch(const StillSet& set, std::span<const std::size_t> indices,
                          const LoaderOptions& options);

}  // namespace mien::learn
