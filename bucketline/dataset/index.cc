#include "bucketline/dataset/index.h"

#include "bucketline/base/error.h"
#include "bucketline/dataset/braces.h"
#include "bucketline/dataset/channel_place.h"
#include "bucketline/dataset/listing_log.h"
#include "bucketline/dataset/saved_manifest.h"
#include "bucketline/dataset/shard_listing.h"

namespace bucketline {
namespace {

std::string StateFile(const IndexOptions& index) {
  if (!index.state.empty()) return index.state;
  if (const Uri output = Uri::Parse(index.output); output.scheme == "file") return output.key + ".partial";
  if (index.resume) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "the state of a listing is a local file; name one with --state or state=, or save to a local file",
        index.output);
  }
  return "";
}

}  // namespace

bool IsOnePrefix(const std::vector<std::string>& uris, const std::string& format) {
  if (uris.size() != 1 || ChannelName(uris.front()) || ExpandBraces(uris.front()).size() != 1 ||
      format == "tfds") {
    return false;
  }
  DatasetOptions options;
  options.format = format;
  const Uri uri = Uri::Parse(uris.front());
  return !uri.key.ends_with(".manifest") && FormatOfUri(uri, options) == nullptr;
}

std::string PrepareIndex(Runtime& runtime, const std::vector<std::string>& uris, const IndexOptions& index,
                         DatasetOptions* options) {
  std::string state;
  if (options->listing.inventory.empty() && IsOnePrefix(uris, options->format)) {
    state = StateFile(index);
    if (!state.empty() && !index.resume) RemoveListingLog(state);
    options->listing.log = state;
  } else if (index.resume) {
    throw Error(ErrorCode::kUnsupported, "only the listing of one prefix of objects can be resumed",
                uris.empty() ? "" : uris.front());
  }
  if (!index.since.empty()) options->listing.since = ReadManifest(runtime, Uri::Parse(index.since), *options);
  return state;
}

}  // namespace bucketline
