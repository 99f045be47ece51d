// What the still-image stage can learn: where the landmarks are, or which expression it is.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "learn/data/loader.h"
#include "learn/job.h"
#include "learn/train_config.h"

namespace mien::learn {

// A model together with what it learns. One thread.
class StillTask {
 public:
  virtual ~StillTask() = default;
  virtual torch::nn::Module& module() = 0;
  virtual Framing framing() const = 0;
  // Before training from scratch: sets what can be read off the data (nothing by default).
  virtual void fit_to(const StillLoader& loader) { (void)loader; }
  // Scalar loss of a batch (on the module's device).
  virtual torch::Tensor loss(const Batch& batch) = 0;
  // Figures on a validation set; the module is in eval mode. The first one is the score: higher is
  // better.
  virtual Figures evaluate(const StillSet& set, const LoaderOptions& options,
                           torch::Device device) = 0;
  // The model file's config; the caller adds provenance.
  virtual core::ModelConfig model_config() const = 0;
};

// Points (and, to teach the trunk expressions along, an expression head that is thrown away).
std::unique_ptr<StillTask> make_landmark_task(const TrainConfig& config);

// Expressions by the S2D image model.
std::unique_ptr<StillTask> make_expression_task(const TrainConfig& config,
                                                const std::vector<float>& face_template);

// Mean distance of predicted to given points over the distance between the outer eye corners
// (points 36 and 45), the usual inter-ocular normalisation of 300-W. points, truth [136] in one
// unit.
double interocular_error(const float* points, const float* truth);

}  // namespace mien::learn
