// What an evaluation of a training gives.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace mien::learn {

// Named figures of an evaluation, in the order to show them.
using Figures = std::vector<std::pair<std::string, double>>;

}  // namespace mien::learn
