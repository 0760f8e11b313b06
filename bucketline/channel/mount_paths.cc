#include "bucketline/channel/mount_paths.h"

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/channel/local_paths.h"

namespace bucketline {
namespace {

std::string PrefixOf(const Dataset& dataset) { return Runtime::KeyOf(Uri::Parse(dataset.SourceAt(0))); }

bool IsBelow(std::string_view key, const std::string& folder) {
  return key.size() > folder.size() && key.starts_with(folder) && key[folder.size()] == '/';
}

// The keys that begin with a folder's name, but are not below it, are the first ones or the last ones: those below it
// follow each other.
std::optional<uint64_t> FirstOutside(const Dataset& dataset, const std::string& folder) {
  for (const uint64_t end : {uint64_t{0}, dataset.size() - 1}) {
    if (!IsBelow(dataset.Key(end), folder)) return end;
  }
  return std::nullopt;
}

}  // namespace

std::optional<size_t> StartOfFolder(const Dataset& dataset) {
  const std::string prefix = PrefixOf(dataset);
  if (prefix.empty() || prefix.ends_with('/')) return prefix.size();
  if (FirstOutside(dataset, prefix)) return std::nullopt;
  return prefix.size() + 1;
}

size_t MountPathStart(const Dataset& dataset) {
  if (const std::optional<size_t> start = StartOfFolder(dataset)) return *start;
  const std::string prefix = PrefixOf(dataset);
  if (dataset.size() == 1 && dataset.Key(0) == prefix) return PathStart(prefix);
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("this prefix ends within names (that of \"{}\", say): name a whole folder, and end it "
                  "with \"/\"",
                  dataset.Key(FirstOutside(dataset, prefix).value())),
      dataset.SourceAt(0));
}

Dataset OnlyPaths(const Dataset& dataset, size_t path_start, const LeftOut& left_out) {
  std::vector<bool> bad(dataset.size());
  uint64_t bad_count = 0;
  FindPathFaults(dataset, path_start, [&](const PathFault& fault) {
    bad[fault.index] = true;
    ++bad_count;
    if (left_out) left_out(dataset.Key(fault.index), fault.problem);
  });
  if (bad_count == 0) return dataset;
  std::vector<uint64_t> kept;
  kept.reserve(dataset.size() - bad_count);
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    if (!bad[i]) kept.push_back(i);
  }
  return dataset.Select(kept);
}

}  // namespace bucketline
