// LiveLine: one line on a terminal that is written again and again; nothing at all in a pipe.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>

namespace bucketline::cli {

// On standard error. Thread-safe.
class LiveLine {
 public:
  LiveLine();
  ~LiveLine() { Clear(); }

  // Shows what `text` returns, at most ten times a second; `text` is called only when it will be shown.
  void Update(const std::function<std::string()>& text);

  // Erases the line, so that lasting output can follow.
  void Clear();

 private:
  const bool enabled_;
  std::mutex mutex_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace bucketline::cli
