#include "learn/data/loader.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mien::learn {
namespace {

bool has_points(const Still& still, float max_spread) {
  return !still.points.empty() && still.spread <= max_spread;
}

// Probability weights that make classes of majority equally frequent as `balance` goes to 1.
std::vector<double> balance_weights(const StillSet& set, const std::vector<std::size_t>& usable,
                                    double balance) {
  std::vector<double> counts(set.classes.size() + 1, 0.0);
  const auto slot = [&](std::size_t i) {
    return static_cast<std::size_t>(set.stills[i].majority + 1);
  };
  for (const std::size_t i : usable) counts[slot(i)] += 1.0;
  std::vector<double> cumulative;
  double sum = 0.0;
  for (const std::size_t i : usable) {
    sum += std::pow(counts[slot(i)], -balance);
    cumulative.push_back(sum);
  }
  return cumulative;
}

// What the engine makes of a grey u8 crop (core::InputNorm): luma [B, 1, S, S] -> [B, 3, S, S].
torch::Tensor normalised(const torch::Tensor& luma, const core::InputNorm& input) {
  const auto per_channel = [](const std::array<float, 3>& v) {
    return torch::tensor({v[0], v[1], v[2]}).view({1, 3, 1, 1});
  };
  return (luma - per_channel(input.mean)) / per_channel(input.std);
}

}  // namespace

bool is_usable(const Still& still, const LoaderOptions& options) {
  if (options.framing == Framing::kPoints) return has_points(still, options.max_spread);
  return still.target_weight > 0.0F && (still.framed || has_points(still, options.max_spread));
}

CropFrame base_frame(const Still& still, Framing framing, const std::vector<float>& face_template) {
  if (framing == Framing::kPoints) return frame_on_points(still.points);
  if (still.framed || still.points.empty() || face_template.size() != 10) {
    return frame_on_picture(still);
  }
  return frame_on_template(still.points, face_template);
}

StillLoader::StillLoader(const StillSet& set, LoaderOptions options)
    : set_(set), options_(std::move(options)) {
  for (std::size_t i = 0; i < set.stills.size(); ++i) {
    if (is_usable(set.stills[i], options_)) usable_.push_back(i);
  }
  if (options_.balance > 0.0) cumulative_ = balance_weights(set, usable_, options_.balance);
}

StillLoader::~StillLoader() {
  stop();
}

void StillLoader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
}

void StillLoader::start(std::int64_t first_batch) {
  stop();
  stopping_ = false;
  ready_.clear();
  worker_ = std::thread([this, first_batch] { run(first_batch); });
}

void StillLoader::run(std::int64_t first_batch) {
  for (std::int64_t index = first_batch;; ++index) {
    Batch batch = make(index);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return stopping_ || ready_.size() < static_cast<std::size_t>(options_.prefetch);
    });
    if (stopping_) return;
    ready_.push_back(std::move(batch));
    changed_.notify_all();
  }
}

Batch StillLoader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ready_.empty(); });
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return batch;
}

std::vector<std::size_t> StillLoader::permutation(std::int64_t epoch) const {
  std::vector<std::size_t> order(usable_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng rng(Rng::mix(options_.seed, 0x0EDE5, static_cast<std::uint64_t>(epoch)));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

// Which picture stands at a position of the endless sequence: a new permutation per pass over the
// data, or, when balancing, an independent draw.
std::size_t StillLoader::pick(std::int64_t position) const {
  if (!cumulative_.empty()) {
    Rng rng(Rng::mix(options_.seed, 0xBA1A, static_cast<std::uint64_t>(position)));
    const double at = rng.uniform() * cumulative_.back();
    const auto it = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
    return usable_[std::min<std::size_t>(static_cast<std::size_t>(it - cumulative_.begin()),
                                         usable_.size() - 1)];
  }
  const auto count = static_cast<std::int64_t>(usable_.size());
  const std::int64_t epoch = position / count;
  const std::lock_guard lock(order_mutex_);
  if (epoch != order_epoch_) {
    order_ = permutation(epoch);
    order_epoch_ = epoch;
  }
  return usable_[order_[static_cast<std::size_t>(position % count)]];
}

Batch StillLoader::make(std::int64_t index) const {
  const int size = options_.size;
  const auto area = static_cast<std::size_t>(size) * size;
  const std::int64_t count = options_.batch;
  const auto classes = static_cast<std::int64_t>(set_.classes.size());
  torch::Tensor luma = torch::empty({count, 1, size, size});
  Batch batch;
  batch.target = torch::zeros({count, classes});
  batch.target_weight = torch::zeros({count});
  batch.points = torch::zeros({count, 136});
  batch.point_weight = torch::zeros({count});
  for (std::int64_t b = 0; b < count; ++b) {
    const std::int64_t position = index * count + b;
    const Still& still = set_.stills[pick(position)];
    Rng rng(Rng::mix(options_.seed, 0x5A3, static_cast<std::uint64_t>(position)));
    const CropFrame frame =
        jitter(base_frame(still, options_.framing, options_.face_template), options_.augment, rng);
    const std::span<float> crop(luma.data_ptr<float>() + static_cast<std::size_t>(b) * area, area);
    render_crop(set_, still, frame, size, crop);
    photometric(crop, size, options_.augment, rng);
    if (still.target_weight > 0.0F) {
      std::copy(still.target.begin(), still.target.end(),
                batch.target.data_ptr<float>() + b * classes);
      batch.target_weight.data_ptr<float>()[b] = still.target_weight;
    }
    if (has_points(still, options_.max_spread)) {
      const std::vector<float> points = points_in_crop(still, frame);
      std::copy(points.begin(), points.end(), batch.points.data_ptr<float>() + b * 136);
      batch.point_weight.data_ptr<float>()[b] = 1.0F;
    }
  }
  batch.images = normalised(luma, options_.input);
  return batch;
}

torch::Tensor plain_batch(const StillSet& set, std::span<const std::size_t> indices,
                          const LoaderOptions& options) {
  const auto area = static_cast<std::size_t>(options.size) * options.size;
  torch::Tensor luma =
      torch::empty({static_cast<std::int64_t>(indices.size()), 1, options.size, options.size});
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Still& still = set.stills[indices[i]];
    render_crop(set, still, base_frame(still, options.framing, options.face_template), options.size,
                {luma.data_ptr<float>() + i * area, area});
  }
  return normalised(luma, options.input);
}

}  // namespace mien::learn
