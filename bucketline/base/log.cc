#include "bucketline/base/log.h"

#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace bucketline {

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

LogSink LogToStderr(LogLevel minimum) {
  return [minimum](LogLevel level, std::string_view message) {
    if (level < minimum) return;
    const std::string line = fmt::format("bucketline {}: {}\n", LogLevelName(level), message);
    std::fwrite(line.data(), 1, line.size(), stderr);  // one write: lines of threads do not mix
  };
}

LogSink LogToNowhere() {
  return [](LogLevel, std::string_view) {};
}

}  // namespace bucketline
