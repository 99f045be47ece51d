// Random numbers that are a pure function of their seed, so that a sample looks the same whatever
// thread makes it and however often training was interrupted.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace mien::core {

// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good enough for augmentation.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  // Mixes several numbers into one seed.
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0) {
    Rng rng(a);
    rng.state_ ^= rng.next() + b;
    rng.state_ ^= rng.next() + c;
    return rng.next();
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  double normal() {  // Box-Muller, one of the pair
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace mien::core
