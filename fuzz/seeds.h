// Where fuzzing starts: small sound files that together reach every feature of a reader.
#pragma once

#include <string>
#include <vector>

#include "fuzz/pth_builder.h"

namespace mien::fuzz {

std::vector<Bytes> safetensors_seeds();
std::vector<Bytes> pth_seeds();
std::vector<Bytes> csv_seeds();
std::vector<Bytes> clip_cache_seeds();

// By the name of the format ("safetensors", "pth", "csv", "clip_cache"); none for another name.
std::vector<Bytes> seeds_of(const std::string& format);

}  // namespace mien::fuzz
