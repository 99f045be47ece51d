#include "learn/data/joined_store.h"

#include <algorithm>

namespace mien::learn {
namespace {

class JoinedStore : public ClipStore {
 public:
  explicit JoinedStore(std::vector<std::unique_ptr<ClipStore>> stores)
      : stores_(std::move(stores)) {
    for (const auto& store : stores_)
      ends_.push_back((ends_.empty() ? 0 : ends_.back()) + store->size());
  }

  const std::vector<std::string>& classes() const override { return stores_.front()->classes(); }
  int side() const override { return stores_.front()->side(); }
  std::size_t size() const override { return ends_.back(); }
  const std::string& id(std::size_t clip) const override { return in(clip).id(local(clip)); }
  const std::string& group(std::size_t clip) const override { return in(clip).group(local(clip)); }
  int label(std::size_t clip) const override { return in(clip).label(local(clip)); }
  std::span<const float> soft_target(std::size_t clip) const override {
    return in(clip).soft_target(local(clip));
  }
  std::int64_t frame_count(std::size_t clip) const override {
    return in(clip).frame_count(local(clip));
  }
  std::vector<float> course(std::size_t clip) const override {
    return in(clip).course(local(clip));
  }
  Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                           std::span<const std::int64_t> indices) const override {
    if (clip >= size()) {
      return make_error(ErrorCode::kInvalidArgument,
                        "no clip number " + std::to_string(clip) + " in the store");
    }
    return in(clip).frames(local(clip), indices);
  }

 private:
  std::size_t which(std::size_t clip) const {
    return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), clip) -
                                    ends_.begin());
  }
  const ClipStore& in(std::size_t clip) const { return *stores_[which(clip)]; }
  std::size_t local(std::size_t clip) const {
    const std::size_t store = which(clip);
    return store == 0 ? clip : clip - ends_[store - 1];
  }

  std::vector<std::unique_ptr<ClipStore>> stores_;
  std::vector<std::size_t> ends_;  // running totals of the sizes
};

class RepeatedStore : public ClipStore {
 public:
  RepeatedStore(std::unique_ptr<ClipStore> store, std::size_t times)
      : store_(std::move(store)), times_(times) {}

  const std::vector<std::string>& classes() const override { return store_->classes(); }
  int side() const override { return store_->side(); }
  std::size_t size() const override { return store_->size() * times_; }
  const std::string& id(std::size_t clip) const override { return store_->id(once(clip)); }
  const std::string& group(std::size_t clip) const override { return store_->group(once(clip)); }
  int label(std::size_t clip) const override { return store_->label(once(clip)); }
  std::span<const float> soft_target(std::size_t clip) const override {
    return store_->soft_target(once(clip));
  }
  std::int64_t frame_count(std::size_t clip) const override {
    return store_->frame_count(once(clip));
  }
  std::vector<float> course(std::size_t clip) const override { return store_->course(once(clip)); }
  Result<std::vector<std::uint8_t>> frames(std::size_t clip,
                                           std::span<const std::int64_t> indices) const override {
    if (clip >= size()) {
      return make_error(ErrorCode::kInvalidArgument,
                        "no clip number " + std::to_string(clip) + " in the store");
    }
    return store_->frames(once(clip), indices);
  }

 private:
  std::size_t once(std::size_t clip) const { return clip % store_->size(); }

  std::unique_ptr<ClipStore> store_;
  std::size_t times_;
};

}  // namespace

std::unique_ptr<ClipStore> repeat_store(std::unique_ptr<ClipStore> store, std::int64_t times) {
  if (times <= 1 || store->size() == 0) return store;
  return std::make_unique<RepeatedStore>(std::move(store), static_cast<std::size_t>(times));
}

Result<std::unique_ptr<ClipStore>> join_stores(std::vector<std::unique_ptr<ClipStore>> stores) {
  if (stores.empty()) return make_error(ErrorCode::kInvalidArgument, "no clips were named");
  if (stores.size() == 1) return std::move(stores.front());
  for (const auto& store : stores) {
    if (store->classes() != stores.front()->classes() || store->side() != stores.front()->side()) {
      return make_error(ErrorCode::kInvalidArgument,
                        "stores of clips with different classes or sizes cannot be joined");
    }
  }
  return std::unique_ptr<ClipStore>(std::make_unique<JoinedStore>(std::move(stores)));
}

}  // namespace mien::learn
