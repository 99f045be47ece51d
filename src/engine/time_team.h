// Threads that each carry some frames of a clip through the network and meet where frames look at
// each other: in the attention over time.
#pragma once

#include <condition_variable>
#include <mutex>

#include "engine/arena.h"
#include "engine/kernels/attention.h"

namespace mien::engine {

// A barrier that a member who fails can break, so that the others do not wait for ever.
class TeamBarrier {
 public:
  explicit TeamBarrier(std::size_t members) : members_(members) {}

  // Before each use of the team; nobody may be waiting.
  void reset();

  // Returns when all members are here. Throws std::runtime_error once the barrier is broken.
  void wait();

  void break_off();

 private:
  std::size_t members_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  std::size_t round_ = 0;
  bool broken_ = false;
};

// What the members share: the queries, keys and values of all frames, and the mixtures. `shape`
// sees one sequence per patch, through all frames: rows are (frame, patch), and strides do what the
// official code does by regrouping tokens.
class TimeTeam {
 public:
  // Frames of a clip; width r and heads of TMA; patches per frame.
  TimeTeam(std::size_t members, std::size_t frames, std::size_t patches, std::size_t width,
           std::size_t heads);

  // Before use. Error kLimit.
  Status allocate() { return arena_.allocate(); }

  std::size_t members() const { return members_; }
  const AttentionShape& shape() const { return shape_; }
  TeamBarrier& barrier() { return barrier_; }

  // Where the rows of a frame begin: [patches, 3 r] and [patches, r], activations of `kind`.
  void* qkv(ActKind kind, std::size_t frame) const;
  void* mixed(ActKind kind, std::size_t frame) const;

  // Mixes this member's share of the patches over all frames. Every member calls it, between two
  // wait()s of its own doing.
  void attend(std::size_t member, ActKind kind, float* scratch) const;

 private:
  std::size_t members_;
  AttentionShape shape_;
  TeamBarrier barrier_;
  Arena arena_;
  Slot qkv_, mixed_;
};

}  // namespace mien::engine
