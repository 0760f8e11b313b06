#include "bucketline/s3/ini_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/http/ascii.h"

namespace bucketline {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr size_t kMaxFileSize = size_t{4} << 20;

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), AsciiLower);
  return lower;
}

// A comment begins a line or follows a blank; "#" inside a word belongs to it.
std::string_view WithoutComment(std::string_view value) {
  for (size_t i = 1; i < value.size(); ++i) {
    if ((value[i] == '#' || value[i] == ';') && kBlanks.find(value[i - 1]) != kBlanks.npos) {
      return Trim(value.substr(0, i));
    }
  }
  return value;
}

// `profile "my name"` → `profile my name`
std::string SectionName(std::string_view inside) {
  const std::string_view text = Trim(inside);
  const size_t blank = text.find_first_of(kBlanks);
  if (blank == text.npos) return std::string(text);
  std::string_view name = Trim(text.substr(blank));
  if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front()) {
    name = name.substr(1, name.size() - 2);
  }
  return std::string(text.substr(0, blank)) + " " + std::string(name);
}

}  // namespace

IniSections ParseIni(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  IniSections sections;
  std::map<std::string, std::string>* section = nullptr;
  std::string parent;  // the last key without a value: indented lines below it are its own
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const std::string_view line = Trim(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const size_t close = line.find(']');
      section = close == line.npos ? nullptr : &sections[SectionName(line.substr(1, close - 1))];
      parent.clear();
      continue;
    }
    const size_t sign = line.find_first_of("=:");
    if (section == nullptr || sign == line.npos) continue;
    const std::string key = LowerCase(Trim(line.substr(0, sign)));
    const std::string_view value = WithoutComment(Trim(line.substr(sign + 1)));
    const bool nested = !parent.empty() && kBlanks.find(raw.front()) != kBlanks.npos;
    if (!nested) parent = value.empty() ? key : std::string();
    (*section)[nested ? fmt::format("{}.{}", parent, key) : key] = value;
  }
  return sections;
}

IniSections ReadIniFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  const auto fail = [&](const char* why) {
    return Error(ErrorCode::kIo, fmt::format("cannot read '{}': {}", path, why));
  };
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    throw fail(std::strerror(errno));
  }
  std::string text(kMaxFileSize + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) throw fail(std::strerror(errno));
  if (text.size() > kMaxFileSize) throw fail("it is larger than 4 MiB, which no such file is");
  return ParseIni(text);
}

}  // namespace bucketline
