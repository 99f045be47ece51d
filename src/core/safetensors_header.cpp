#include "core/safetensors_header.h"

#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace mien::core::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDimensions = 64;  // what PyTorch can make

// Takes the parser's events rather than a tree: a tree would silently keep the last of two equal
// keys, and its depth would be the file's choice.
class HeaderReader {
 public:
  SafetensorsHeader take() { return std::move(header_); }
  Error error() const {
    return error_.value_or(make_error(ErrorCode::kBadFormat, "the header is not valid JSON"));
  }

  bool null() { return refuse_value("null"); }
  bool boolean(bool) { return refuse_value("true or false"); }
  bool number_float(Json::number_float_t, const std::string&) {
    return refuse_value("a number that is not a whole one");
  }
  bool number_integer(Json::number_integer_t) { return refuse_value("a negative number"); }
  bool binary(Json::binary_t&) { return refuse_value("binary data"); }

  bool number_unsigned(Json::number_unsigned_t value) {
    if (state_ == State::kShape) {
      if (entry_.shape.size() >= kMaxDimensions) {
        return fail(ErrorCode::kLimit, "has more than 64 dimensions");
      }
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail(ErrorCode::kLimit, "has a dimension beyond 2^63");
      }
      entry_.shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (state_ == State::kOffsets) {
      if (offsets_ >= 2) return fail(ErrorCode::kBadFormat, "has more than two data_offsets");
      (offsets_++ == 0 ? entry_.begin : entry_.end) = value;
      return true;
    }
    return refuse_value("a number");
  }

  bool string(std::string& value) {
    if (state_ == State::kMetadata) {
      if (!header_.metadata.emplace(field_, std::move(value)).second) {
        return fail(ErrorCode::kBadFormat, "metadata key '" + field_ + "' appears twice");
      }
      return true;
    }
    if (state_ != State::kTensor || field_ != "dtype") return refuse_value("a string");
    Result<DType> dtype = dtype_from_name(value);
    if (!dtype) return fail(dtype.error().code, dtype.error().message);
    entry_.dtype = *dtype;
    return true;
  }

  bool start_object(std::size_t) {
    switch (state_) {
      case State::kStart: state_ = State::kTop; return true;
      case State::kTop: return open_entry();
      default: return refuse_value("an object");
    }
  }

  bool key(std::string& value) {
    if (state_ == State::kTop) {
      name_ = std::move(value);
      return true;
    }
    field_ = std::move(value);
    if (state_ == State::kMetadata) return true;
    bool* seen = nullptr;
    if (field_ == "dtype") seen = &has_dtype_;
    if (field_ == "shape") seen = &has_shape_;
    if (field_ == "data_offsets") seen = &has_offsets_;
    if (seen == nullptr) {
      return fail(ErrorCode::kBadFormat, "has an unknown field '" + field_ + "'");
    }
    if (*seen) return fail(ErrorCode::kBadFormat, "has the field '" + field_ + "' twice");
    *seen = true;
    return true;
  }

  bool end_object() {
    switch (state_) {
      case State::kTop: state_ = State::kEnd; return true;
      case State::kMetadata: state_ = State::kTop; return true;
      default: return close_entry();
    }
  }

  bool start_array(std::size_t) {
    if (state_ == State::kTensor && field_ == "shape") {
      state_ = State::kShape;
    } else if (state_ == State::kTensor && field_ == "data_offsets") {
      state_ = State::kOffsets;
    } else {
      return refuse_value("a list");
    }
    return true;
  }

  bool end_array() {
    if (state_ == State::kOffsets && offsets_ != 2) {
      return fail(ErrorCode::kBadFormat, "has fewer than two data_offsets");
    }
    state_ = State::kTensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
    name_.clear();
    return fail(ErrorCode::kBadFormat,
                "the header is not valid JSON at byte " + std::to_string(position));
  }

 private:
  enum class State { kStart, kTop, kMetadata, kTensor, kShape, kOffsets, kEnd };

  bool fail(ErrorCode code, std::string message) {
    error_ = make_error(code, std::move(message), name_);
    return false;
  }

  bool refuse_value(const std::string& what) {
    if (state_ == State::kStart) return fail(ErrorCode::kBadFormat, "the header is no JSON object");
    std::string place = state_ == State::kTop ? "the entry" : "'" + field_ + "'";
    return fail(ErrorCode::kBadFormat, what + " is not what " + place + " can be");
  }

  bool open_entry() {
    if (name_ == "__metadata__") {
      if (has_metadata_) return fail(ErrorCode::kBadFormat, "appears twice");
      has_metadata_ = true;
      state_ = State::kMetadata;
      return true;
    }
    entry_ = {};
    offsets_ = 0;
    has_dtype_ = has_shape_ = has_offsets_ = false;
    state_ = State::kTensor;
    return true;
  }

  bool close_entry() {
    if (!has_dtype_ || !has_shape_ || !has_offsets_) {
      return fail(ErrorCode::kBadFormat, "lacks one of dtype, shape, data_offsets");
    }
    if (!header_.tensors.emplace(name_, std::move(entry_)).second) {
      return fail(ErrorCode::kBadFormat, "appears twice in the header");
    }
    state_ = State::kTop;
    name_.clear();
    return true;
  }

  SafetensorsHeader header_;
  std::optional<Error> error_;
  State state_ = State::kStart;
  std::string name_;
  std::string field_;
  HeaderEntry entry_;
  int offsets_ = 0;
  bool has_metadata_ = false;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
};

}  // namespace

Result<SafetensorsHeader> parse_safetensors_header(std::string_view json) {
  HeaderReader reader;
  try {
    if (!Json::sax_parse(json.begin(), json.end(), &reader)) return reader.error();
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("JSON parser: ") + e.what());
  }
  return reader.take();
}

}  // namespace mien::core::detail
