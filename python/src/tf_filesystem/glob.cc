#include "src/tf_filesystem/glob.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "src/tf_filesystem/folders.h"
#include <fnmatch.h>

#include "bucketline/base/result.h"

namespace bucketline::tf {
namespace {

constexpr std::string_view kSpecial = "*?[\\";

bool Exists(const Place& place) {
  const auto found = Catch([&] { return Find(place); });
  if (!found.ok() && found.error().code() != ErrorCode::kNotFound) throw found.error();
  return found.ok();
}

// Appends what begins with `prefix` and goes on as `pattern` says.
void Expand(const Place& bucket, const std::string& prefix, const std::string& pattern,
            std::vector<std::string>* keys) {
  const size_t special = pattern.find_first_of(kSpecial);
  if (special == std::string::npos) {
    if (Exists(bucket.At(prefix + pattern))) keys->push_back(prefix + pattern);
    return;
  }
  // Folders without anything special are taken in one step.
  const size_t slash = pattern.rfind('/', special);
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  const size_t end = pattern.find('/', special);
  const std::string folder = prefix + pattern.substr(0, begin);
  const std::string name = pattern.substr(begin, end == std::string::npos ? end : end - begin);
  for (const Child& child : ListChildren(bucket, folder, pattern.substr(begin, special - begin))) {
    if (fnmatch(name.c_str(), child.name.c_str(), 0) != 0) continue;
    if (end == std::string::npos) {
      keys->push_back(folder + child.name);
    } else if (child.is_folder) {
      Expand(bucket, folder + child.name + "/", pattern.substr(end + 1), keys);
    }
  }
}

}  // namespace

std::vector<std::string> Glob(const Place& pattern) {
  std::vector<std::string> keys;
  Expand(pattern.At(""), "", pattern.key, &keys);
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace bucketline::tf
