// LinkedStop: one stop token that is requested when either of two others is.
#pragma once

#include <functional>
#include <stop_token>
#include <utility>

namespace bucketline {

class LinkedStop {
 public:
  LinkedStop(const std::stop_token& a, const std::stop_token& b)
      : a_(a, [this] { source_.request_stop(); }), b_(b, [this] { source_.request_stop(); }) {}
  LinkedStop(const LinkedStop&) = delete;
  LinkedStop& operator=(const LinkedStop&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> a_;
  std::stop_callback<std::function<void()>> b_;
};

}  // namespace bucketline
