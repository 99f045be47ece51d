// Runs a fuzz target without libFuzzer: over the files named on the command line (to look at a
// crash), or else over the seeds of its format, each cut at every length and mutated in fixed ways.
#include <cstdint>
#include <cstdio>
#include <random>
#include <utility>

#include "core/files.h"
#include "fuzz/seeds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using mien::fuzz::Bytes;

void run(const Bytes& input) {
  // An own allocation of the exact size, so that sanitizers see a read past the end.
  const Bytes exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(exact.data()), exact.size());
}

// Up to four changes: a byte replaced, a stretch removed or doubled.
Bytes mutate(Bytes bytes, std::mt19937& random) {
  const auto below = [&random](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const std::size_t changes = 1 + below(4);
  for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = below(bytes.size());
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto length =
        static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(16, bytes.size() - at)));
    switch (below(4)) {
      case 0: bytes.erase(from, from + length); break;
      case 1: {
        const Bytes copy(from, from + length);
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), copy.begin(), copy.end());
        break;
      }
      default: bytes[at] = static_cast<std::byte>(random() & 0xFFU);
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    for (int i = 1; i < argc; ++i) {
      const auto bytes = mien::core::read_file(argv[i]);
      if (!bytes) {
        std::fprintf(stderr, "%s\n", bytes.error().to_string().c_str());
        return 1;
      }
      run(*bytes);
    }
    return 0;
  }
  constexpr int kMutations = 3000;
  std::size_t count = 0;
  for (const Bytes& seed : mien::fuzz::seeds_of(MIEN_FUZZ_FORMAT)) {
    if (seed.empty()) return 1;
    for (std::size_t length = 0; length <= seed.size(); ++length, ++count) {
      run(Bytes(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(length)));
    }
    std::mt19937 random(7);  // fixed: the same inputs in every run
    for (int i = 0; i < kMutations; ++i, ++count) run(mutate(seed, random));
  }
  std::printf("%zu inputs of %s\n", count, MIEN_FUZZ_FORMAT);
  return count > 0 ? 0 : 1;
}
