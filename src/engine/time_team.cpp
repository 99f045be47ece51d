#include "engine/time_team.h"

#include <stdexcept>

namespace mien::engine {

void TeamBarrier::reset() {
  const std::lock_guard lock(mutex_);
  waiting_ = 0;
  broken_ = false;
}

void TeamBarrier::wait() {
  std::unique_lock lock(mutex_);
  if (!broken_ && ++waiting_ == members_) {
    waiting_ = 0;
    ++round_;
    changed_.notify_all();
    return;
  }
  const std::size_t round = round_;
  changed_.wait(lock, [&] { return broken_ || round_ != round; });
  if (round_ == round) throw std::runtime_error("another thread of this call failed");
}

void TeamBarrier::break_off() {
  const std::lock_guard lock(mutex_);
  broken_ = true;
  changed_.notify_all();
}

TimeTeam::TimeTeam(std::size_t members, std::size_t frames, std::size_t patches, std::size_t width,
                   std::size_t heads)
    : members_(members), barrier_(members) {
  shape_.sequences = patches;
  shape_.tokens = frames;
  shape_.heads = heads;
  shape_.head_dim = width / heads;
  shape_.sequence_stride = 3 * width;
  shape_.token_stride = patches * 3 * width;
  shape_.out_sequence_stride = width;
  shape_.out_token_stride = patches * width;
  qkv_ = arena_.reserve_for<float>(frames * shape_.token_stride);
  mixed_ = arena_.reserve_for<float>(frames * shape_.out_token_stride);
}

void* TimeTeam::qkv(ActKind kind, std::size_t frame) const {
  return act_at(arena_.at(qkv_), kind, frame * shape_.token_stride);
}

void* TimeTeam::mixed(ActKind kind, std::size_t frame) const {
  return act_at(arena_.at(mixed_), kind, frame * shape_.out_token_stride);
}

void TimeTeam::attend(std::size_t member, ActKind kind, float* scratch) const {
  const std::size_t first = shape_.sequences * member / members_;
  AttentionShape mine = shape_;
  mine.sequences = shape_.sequences * (member + 1) / members_ - first;
  if (mine.sequences == 0) return;
  attention(mine, kind, act_at(qkv(kind, 0), kind, first * mine.sequence_stride),
            act_at(mixed(kind, 0), kind, first * mine.out_sequence_stride), scratch);
}

}  // namespace mien::engine
