// ServerProcess: somebody else's S3 server, as a process of its own on a free loopback port with a temporary folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bucketline/base/temp_folder.h"

namespace bucketline::testing {

// The destructor ends the process, by its id, and removes the folder; the kernel ends it when the test dies first.
class ServerProcess {
 public:
  struct Command {
    std::vector<std::string> words;  // the program first
    // Keys go by the environment, not the command line, which every process can read.
    std::vector<std::string> variables;
  };
  using MakeCommand = std::function<Command(int port, const std::filesystem::path& folder)>;

  // The value of `variable`, else `name` in PATH; "" when there is none.
  static std::string FindProgram(const char* variable, const std::string& name);

  // Ready is who answers GET `health` with 200. Throws std::runtime_error when that is not so in 120 s; the output
  // stands in the message.
  ServerProcess(const std::string& name, std::string health, const MakeCommand& make);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::filesystem::path folder() const { return folder_.path(); }

  // The status of one plain request; 0 without an answer.
  int Request(const std::string& method, const std::string& path) const;

 private:
  void Spawn(const Command& command);
  void Stop();

  TempFolder folder_;
  int port_ = 0;
  pid_t pid_ = -1;
};

// Letters of [0-9a-f], another text each time.
std::string RandomHex(size_t digits);

// Skips the current test without this server; fails it where CI=true.
void SkipOrFailWithout(const std::string& server, const std::string& variable);

}  // namespace bucketline::testing
