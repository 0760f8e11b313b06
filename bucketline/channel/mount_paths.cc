#include "bucketline/channel/mount_paths.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/store/file_paths.h"

namespace bucketline {
namespace {

// Finds keys that are folders of later ones. Those that begin with a key follow it at once, so that the keys with which
// the latest one begins are all that must be remembered.
class ClashFinder {
 public:
  // Gives the number of an earlier record whose path is a folder of this one's.
  std::optional<uint64_t> Add(uint64_t number, const std::string& path) {
    while (!open_.empty() && !path.starts_with(open_.back().path)) open_.pop_back();
    std::optional<uint64_t> clash;
    for (Open& open : open_) {
      if (path[open.path.size()] == '/' && !std::exchange(open.told, true)) clash = open.number;
    }
    open_.push_back({path, number, false});
    return clash;
  }

 private:
  struct Open {
    std::string path;
    uint64_t number;
    bool told;
  };
  std::vector<Open> open_;
};

std::string PathProblem(const std::string& path) {
  if (path.empty() || path.ends_with('/')) return "it ends in \"/\": a folder's marker";
  const Result<void> checked = Catch([&] { CheckFileKey(path); });
  return checked ? "" : checked.error().message();
}

}  // namespace

size_t MountPrefixLength(const Dataset& dataset) {
  const std::string prefix = Runtime::KeyOf(Uri::Parse(dataset.SourceAt(0)));
  if (prefix.empty() || prefix.ends_with('/')) return prefix.size();
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    const std::string key = dataset.Key(i);
    if (dataset.size() == 1 && key == prefix) return prefix.rfind('/') + 1;
    if (key.size() > prefix.size() && key[prefix.size()] == '/') continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("this prefix is the beginning of a name, not a folder (\"{}\" is below it, say): name "
                            "the whole folder and end it with \"/\"",
                            key),
                dataset.SourceAt(0));
  }
  return prefix.size() + 1;
}

Dataset OnlyPaths(const Dataset& dataset, size_t prefix_length, const LeftOut& left_out) {
  std::vector<bool> bad(dataset.size());
  uint64_t bad_count = 0;
  const auto leave_out = [&](uint64_t number, std::string_view reason) {
    bad[number] = true;
    ++bad_count;
    if (left_out) left_out(dataset.Key(number), reason);
  };
  ClashFinder clashes;
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    const std::string path = dataset.Key(i).substr(prefix_length);
    if (const std::string problem = PathProblem(path); !problem.empty()) {
      leave_out(i, problem);
    } else if (const std::optional<uint64_t> folder = clashes.Add(i, path)) {
      leave_out(*folder, fmt::format("it is also the folder of \"{}\"", dataset.Key(i)));
    }
  }
  if (bad_count == 0) return dataset;
  std::vector<uint64_t> kept;
  kept.reserve(dataset.size() - bad_count);
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    if (!bad[i]) kept.push_back(i);
  }
  return dataset.Select(kept);
}

}  // namespace bucketline
