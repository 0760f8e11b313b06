// Result<T>: a value or an Error; what every asynchronous completion carries, exactly once.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "bucketline/base/error.h"

namespace bucketline {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition: ok().
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

  // Precondition: !ok().
  const Error& error() const { return *std::get_if<1>(&state_); }

  // The value, or throws the Error.
  T ValueOrThrow() && {
    if (!ok()) throw error();
    return std::move(*std::get_if<0>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }  // Precondition: !ok().
  void ValueOrThrow() const {
    if (error_) throw *error_;
  }

 private:
  std::optional<Error> error_;
};

// Runs `f()` and turns what it throws into a Result; a foreign exception becomes kInternal.
template <typename F>
auto Catch(F&& f) -> Result<std::invoke_result_t<F>> {
  using T = std::invoke_result_t<F>;
  try {
    if constexpr (std::is_void_v<T>) {
      std::forward<F>(f)();
      return Result<void>();
    } else {
      return Result<T>(std::forward<F>(f)());
    }
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& exception) {
    return Error(ErrorCode::kInternal, exception.what());
  } catch (...) {
    return Error(ErrorCode::kInternal, "something that is no std::exception was thrown");
  }
}

}  // namespace bucketline
