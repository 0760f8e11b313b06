#include "bucketline/job/failure_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

constexpr size_t kMostCharacters = 1024;
constexpr size_t kMostBytes = 4 * kMostCharacters;

}  // namespace

std::string_view FailureReasonOf(std::string_view text) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (text[i] & 0xC0) != 0x80;
    if (begins && ++characters > kMostCharacters) return text.substr(0, i);
  }
  return text;
}

std::string ReadFailureFile(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status;
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  std::string text(kMostBytes, '\0');
  const ssize_t got = read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return std::string(FailureReasonOf(text));
}

}  // namespace bucketline
