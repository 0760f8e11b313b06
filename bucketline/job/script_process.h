// ScriptProcess: one host's command, running.
#pragma once

#include <cstddef>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "bucketline/job/script_family.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

struct ScriptCommand {
  std::string host;                                // "algo-1"
  std::vector<std::string> words;                  // words[0] is looked for in PATH
  std::map<std::string, std::string> environment;  // set beside what is inherited
  std::string log;                                 // file that its output is added to
};

// A line of a host's output, without its end; of a longer one a piece of 64 KiB.
using ScriptLine = std::function<void(std::string_view host, std::string_view line)>;

// In the current folder, a session of its own, with nothing on its standard input and its standard output and error in
// one pipe, so that their order is kept. Not thread-safe.
class ScriptProcess {
 public:
  // Throws kInvalidArgument when it cannot be started, kIo when its log cannot be written.
  ScriptProcess(const ScriptCommand& command, ScriptLine on_line);
  ~ScriptProcess();  // kills the family
  ScriptProcess(const ScriptProcess&) = delete;
  ScriptProcess& operator=(const ScriptProcess&) = delete;

  int exit_fd() const { return exit_.get(); }      // readable once the command has ended
  int output_fd() const { return output_.get(); }  // -1 after the end of the output
  const std::string& host() const { return host_; }
  const ScriptFamily& family() const { return family_; }

  void Terminate() const;  // SIGTERM to its process group
  void Kill() const;       // SIGKILL to its family

  void ReadOutput();  // some of what is there now; never blocks

  // After exit_fd was readable: kills what the command left, reads the rest of the output and gives the exit code: 128 +
  // n when signal n ended it. Once only.
  int Reap();

 private:
  bool ReadSome();
  void GiveLines(bool all);

  const std::string host_;
  const ScriptLine on_line_;
  const std::string log_path_;
  std::ofstream log_;
  UniqueFd output_;
  UniqueFd exit_;
  ScriptFamily family_;
  bool reaped_ = false;
  std::string pending_;
};

}  // namespace bucketline
