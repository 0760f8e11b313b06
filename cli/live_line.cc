#include "cli/live_line.h"

#include <cstdio>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bucketline::cli {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

size_t TerminalWidth() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

LiveLine::LiveLine() : enabled_(isatty(STDERR_FILENO) == 1) {}

void LiveLine::Update(const std::function<std::string()>& text) {
  if (!enabled_) return;
  std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (shown_ && now - last_ < kInterval) return;
  shown_ = true;
  last_ = now;
  const std::string line = text().substr(0, TerminalWidth() - 1);
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
}

void LiveLine::Clear() {
  std::lock_guard lock(mutex_);
  if (!shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace bucketline::cli
