#include "bucketline/dataset/repeats.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"

namespace bucketline {
namespace {

// Keys of a manifest are below its source and differ, so only where one source is below another, or the same,
// can a URI stand twice. In order, a prefix stands right before those that it begins.
bool SourcesMayOverlap(const Dataset& dataset) {
  std::vector<std::string> sources;
  for (const Manifest& manifest : dataset.manifests().manifests()) sources.push_back(manifest.source());
  std::sort(sources.begin(), sources.end());
  return std::adjacent_find(sources.begin(), sources.end(), [](const std::string& a, const std::string& b) {
           return b.starts_with(a);
         }) != sources.end();
}

}  // namespace

void CheckNoRepeats(const Dataset& dataset) {
  if (!SourcesMayOverlap(dataset)) return;
  std::vector<std::pair<uint64_t, uint64_t>> records;  // hash of the URI, index
  records.reserve(dataset.size());
  for (uint64_t i = 0; i < dataset.size(); ++i) records.emplace_back(StableHash64(dataset.UriAt(i)), i);
  std::sort(records.begin(), records.end());
  for (size_t i = 1; i < records.size(); ++i) {
    if (records[i].first != records[i - 1].first) continue;
    const std::string uri = dataset.UriAt(records[i].second);
    if (uri != dataset.UriAt(records[i - 1].second)) continue;  // two of one hash
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "the same object is in {} and again in {}; leave one of them out, or allow repeats on purpose",
            dataset.SourceAt(records[i - 1].second), dataset.SourceAt(records[i].second)),
        uri);
  }
}

}  // namespace bucketline
