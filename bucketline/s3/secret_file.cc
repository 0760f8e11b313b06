#include "bucketline/s3/secret_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr size_t kMaxSize = size_t{1} << 20;
constexpr const char* kBlanks = " \t\r\n";

}  // namespace

std::string ReadSecretFile(const std::string& path) {
  const auto fail = [&](const char* why) {
    return Error(ErrorCode::kIo, fmt::format("cannot read '{}': {}", path, why));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw fail(std::strerror(errno));
  std::string text(kMaxSize + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) throw fail(std::strerror(errno));
  if (text.size() > kMaxSize) throw fail("it is larger than 1 MiB, which no such file is");
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) throw fail("it is empty");
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace bucketline
