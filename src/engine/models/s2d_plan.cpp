#include "engine/models/s2d_plan.h"

#include "engine/guard.h"
#include "engine/parallel.h"

namespace mien::engine {

S2DPlan::S2DPlan(std::shared_ptr<const S2DWeights> weights, std::size_t frames, std::size_t members)
    : weights_(std::move(weights)) {
  const core::S2DConfig& c = weights_->sizes();
  if (c.temporal) {
    team_ = std::make_unique<TimeTeam>(members, frames, weights_->patches(),
                                       static_cast<std::size_t>(c.adapter_dim()),
                                       static_cast<std::size_t>(core::kTmaHeads));
  }
  for (std::size_t i = 0; i < members; ++i) {
    const std::size_t first = frames * i / members;
    const std::size_t count = frames * (i + 1) / members - first;
    slices_.push_back(std::make_unique<S2DSlice>(weights_, count, first, team_.get(), i));
  }
}

Status S2DPlan::allocate() {
  if (team_) MIEN_TRY(team_->allocate());
  for (const auto& slice : slices_) MIEN_TRY(slice->allocate());
  return {};
}

bool S2DPlan::can_run(std::size_t members) {
  return members == 1 || (omp_in_parallel() == 0 && omp_get_dynamic() == 0 &&
                          omp_get_thread_limit() >= static_cast<int>(members));
}

Status S2DPlan::run(const S2DInput& input, float* features, Tap* tap) {
  const auto run_slice = [&](S2DSlice& slice) {
    const std::size_t first = slice.first_frame();
    slice.run(input.from_frame(*weights_, first), features + first * weights_->width(), tap);
  };
  if (slices_.size() == 1) {
    run_slice(*slices_[0]);
    return {};
  }
  team_->barrier().reset();
  SharedStatus status;
  parallel_team(slices_.size(), [&](std::size_t member, bool complete) {
    Status done = complete
                      ? guarded([&]() -> Status {
                          run_slice(*slices_[member]);
                          return {};
                        })
                      : Status(make_error(ErrorCode::kInternal, "OpenMP gave too few threads"));
    if (!done.ok()) team_->barrier().break_off();
    status.add(done);
  });
  return status.take();
}

}  // namespace mien::engine
