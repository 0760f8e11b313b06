#include "src/log_queue.h"

#include "src/conversion.h"
#include <nanobind/nanobind.h>

namespace nb = nanobind;

namespace bucketline::python {
namespace {

int LoggingLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return 10;
    case LogLevel::kInfo:
      return 20;
    case LogLevel::kWarning:
      return 30;
    case LogLevel::kError:
      break;
  }
  return 40;
}

}  // namespace

void LogQueue::Add(LogLevel level, std::string_view message) {
  std::lock_guard lock(mutex_);
  if (messages_.size() == kMost) messages_.pop_front();
  messages_.emplace_back(level, message);
}

void LogQueue::Drain() {
  std::deque<std::pair<LogLevel, std::string>> taken;
  {
    std::lock_guard lock(mutex_);
    taken.swap(messages_);
  }
  if (taken.empty()) return;
  const nb::object logger = nb::module_::import_("logging").attr("getLogger")("bucketline");
  for (const auto& [level, message] : taken) logger.attr("log")(LoggingLevel(level), "%s", Text(message));
}

}  // namespace bucketline::python
