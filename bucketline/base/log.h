// Log: where the engine's rare messages go. The caller gives the sink; there is no global logger.
#pragma once

#include <functional>
#include <string_view>

namespace bucketline {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

std::string_view LogLevelName(LogLevel level);

// Must be thread-safe. Messages are single lines and hold no secret.
using LogSink = std::function<void(LogLevel, std::string_view message)>;

// Writes "bucketline warning: message" lines at or above `minimum` to the standard error stream.
LogSink LogToStderr(LogLevel minimum = LogLevel::kWarning);

// Drops everything.
LogSink LogToNowhere();

}  // namespace bucketline
