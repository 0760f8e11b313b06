// LineFile: a file that lines are added to, such as a log.
#pragma once

#include <fstream>
#include <string>

namespace bucketline::cli {

// Not thread-safe.
class LineFile {
 public:
  // Throws kIo naming the path when it cannot be opened for appending. "": nothing is written.
  explicit LineFile(const std::string& path);

  bool is_open() const { return file_.is_open(); }

  // The line has left the process when this returns; throws kIo naming the path when it could not, as on a full disk.
  void Write(const std::string& line);

 private:
  std::string path_;
  std::ofstream file_;
};

}  // namespace bucketline::cli
