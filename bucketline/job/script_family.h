// ScriptFamily: every process that a script started and left, whatever it did to get away.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace bucketline {

// A family is the session of its leader, and everything that inherited the mark in its environment.
struct ScriptFamily {
  pid_t session = 0;  // the leader's pid; it may have ended, but must not have been waited for
  std::string mark;   // "NAME=value", as it stands in the environment; not empty

  // The members that have not ended. The leader is one of them.
  std::vector<pid_t> Living() const;

  // Sends SIGKILL to members until none is left, but not to the leader unless `leader_too`. False when some were still
  // there after a few seconds: they hang in the kernel, or belong to another user.
  bool Kill(bool leader_too) const;
};

}  // namespace bucketline
