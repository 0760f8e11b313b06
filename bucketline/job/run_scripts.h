// RunScripts: the commands of all hosts, from their start to the end of the last one.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/job/script_process.h"

namespace bucketline {

struct ScriptLimits {
  Duration max_runtime = std::chrono::hours(24);
  Duration grace = std::chrono::seconds(120);  // between SIGTERM and SIGKILL
};

enum class ScriptsEnd {
  kEnded,     // by themselves
  kStopped,   // by `stop`
  kTimedOut,  // by max_runtime
  kKilled,    // by `kill`
};

struct ScriptsResult {
  ScriptsEnd end = ScriptsEnd::kEnded;
  std::vector<int> exit_codes = {};         // of each host; 128 + n when signal n ended it
  std::optional<size_t> first_failed = {};  // the first host that ended by itself with another code than 0
};

// Starts all and waits for all. A host that fails ends the others. They end by SIGTERM, then SIGKILL to whatever is
// still there after the grace; by SIGKILL at once when `kill` is requested. Nothing that a command started outlives
// this call. `on_line` is called on this thread. Throws as ScriptProcess does, with what was started ended.
ScriptsResult RunScripts(const std::vector<ScriptCommand>& commands, const ScriptLimits& limits,
                         const ScriptLine& on_line, const std::stop_token& stop, const std::stop_token& kill);

}  // namespace bucketline
