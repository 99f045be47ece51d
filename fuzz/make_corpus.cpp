// make_corpus FORMAT DIR: writes the seeds of a fuzz target into an existing folder.
#include <cstdio>
#include <string>
#include <vector>

#include "core/files.h"
#include "fuzz/seeds.h"

int main(int argc, char** argv) {
  const std::vector<mien::fuzz::Bytes> seeds =
      argc == 3 ? mien::fuzz::seeds_of(argv[1]) : std::vector<mien::fuzz::Bytes>();
  if (seeds.empty()) {
    std::fprintf(stderr, "usage: make_corpus safetensors|pth|csv|clip_cache DIR\n");
    return 2;
  }
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const std::string path = std::string(argv[2]) + "/seed-" + std::to_string(i);
    if (const auto status = mien::core::write_file_atomically(path, seeds[i]); !status) {
      std::fprintf(stderr, "%s\n", status.error().to_string().c_str());
      return 1;
    }
  }
  return 0;
}
