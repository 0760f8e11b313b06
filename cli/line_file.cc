#include "cli/line_file.h"

#include <cerrno>
#include <system_error>

#include "bucketline/base/error.h"

namespace bucketline::cli {
namespace {

// Streams keep no reason; errno is that of the system call that failed.
Error CannotWrite(const std::string& path) {
  return Error(ErrorCode::kIo, "cannot write to this file: " + std::generic_category().message(errno), path);
}

}  // namespace

LineFile::LineFile(const std::string& path) : path_(path) {
  if (path.empty()) return;
  file_.open(path, std::ios::app);
  if (!file_) throw CannotWrite(path);
}

void LineFile::Write(const std::string& line) {
  if (!is_open()) return;
  file_ << line << std::endl;
  if (!file_) throw CannotWrite(path_);
}

}  // namespace bucketline::cli
