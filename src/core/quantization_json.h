// Private to core: the "quantization" object of mien.config. Not for headers of other folders.
#pragma once

#include <nlohmann/json.hpp>

#include "core/quantization.h"

namespace mien::core {

// Error kBadFormat (context "config") for a value of another type. Missing keys keep their
// defaults; names are not yet checked (validate_quantization). May throw nlohmann's exceptions.
Result<Quantization> read_quantization(const nlohmann::json& json);

nlohmann::json quantization_json(const Quantization& quantization);

}  // namespace mien::core
