// Errors as values. Everything in mien that can fail because of the outside world (files, videos,
// models, arguments) returns a Result<T>; nothing in the libraries prints, aborts or exits.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace mien {

// What kind of thing went wrong. Callers branch on it; people read Error::to_string().
enum class ErrorCode {
  kInvalidArgument,  // the caller asked for something that cannot be (a shape, an option)
  kNotFound,         // no such file, device, tensor, model
  kIo,               // the operating system refused: reading, writing, mapping
  kBadFormat,        // the bytes are not what their name or header says
  kUnsupported,      // valid, but not something this build or version can do
  kLimit,            // valid in form, but larger than a limit that protects the machine
  kCancelled,        // the caller asked to stop
  kInternal,         // a third-party library failed in a way we did not foresee
};

// Short stable name of a code, e.g. "bad-format".
const char* error_code_name(ErrorCode code);

// One failure: a code, a message of one line, and the thing it happened to (file, tensor, frame).
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string context;

  // "context: message" on one line (control characters are replaced, so that a hostile file name
  // cannot forge log lines).
  std::string to_string() const;

  // The same error seen from further out: prefixes the context ("model.pth: conv1.weight").
  Error within(const std::string& outer) const;
};

inline Error make_error(ErrorCode code, std::string message, std::string context = {}) {
  return Error{code, std::move(message), std::move(context)};
}

// Thrown by Result::value() alone, for callers who prefer exceptions.
class ResultError : public std::runtime_error {
 public:
  explicit ResultError(Error error)
      : std::runtime_error(error.to_string()), error_(std::move(error)) {}
  const Error& error() const { return error_; }

 private:
  Error error_;
};

// A value or an Error. Check `ok()` (or convert to bool), then use `*r` / `r->`; or call `value()`,
// which throws ResultError. Using `*r` on an error is undefined, as with std::optional.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  const Error& error() const { return *std::get_if<1>(&state_); }

  T& value() & {
    if (!ok()) throw ResultError(error());
    return **this;
  }
  const T& value() const& {
    if (!ok()) throw ResultError(error());
    return **this;
  }
  T&& value() && {
    if (!ok()) throw ResultError(error());
    return std::move(**this);
  }

 private:
  std::variant<T, Error> state_;
};

// Success or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }
  void value() const {
    if (!ok()) throw ResultError(error());
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace mien

// Returns the error of `expr` from the enclosing function, which must return a Result.
#define MIEN_TRY(expr)                                                               \
  do {                                                                               \
    if (auto mien_status_ = (expr); !mien_status_.ok()) return mien_status_.error(); \
  } while (false)

#define MIEN_CONCAT_INNER_(a, b) a##b
#define MIEN_CONCAT_(a, b) MIEN_CONCAT_INNER_(a, b)

// `MIEN_ASSIGN(auto x, f())`: declares x as the value of f(), or returns its error.
#define MIEN_ASSIGN(decl, expr) MIEN_ASSIGN_(decl, expr, MIEN_CONCAT_(mien_result_, __LINE__))
#define MIEN_ASSIGN_(decl, expr, tmp) \
  auto tmp = (expr);                  \
  if (!tmp.ok()) return tmp.error();  \
  decl = std::move(*tmp)
