// Index: what `bucketline index` and bl.index do around a Dataset: where an unfinished listing is kept, and what it goes on
// from.
#pragma once

#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"

namespace bucketline {

struct IndexOptions {
  std::string output;   // path or URI of the manifest
  bool resume = false;  // go on with the listing that was ended; else it begins anew
  std::string state =
      {};  // local file that keeps what was listed until the manifest is saved; "": OUTPUT.partial
  std::string since = {};  // path or URI of an older manifest; "": none
};

// Whether these URIs are one prefix of objects: no list, manifest, shard or channel. Only the listing of one can be resumed.
bool IsOnePrefix(const std::vector<std::string>& uris, const std::string& format);

// Puts into options->listing what opening `uris` needs; options->listing.inventory may be set. The file of the state: to be
// removed by RemoveListingLog when the manifest is saved; "" for none. Throws kInvalidArgument for resume without a place for the
// state, kUnsupported for resume of what is not one prefix, and what ReadManifest and RemoveListingLog throw.
std::string PrepareIndex(Runtime& runtime, const std::vector<std::string>& uris, const IndexOptions& index,
                         DatasetOptions* options);

}  // namespace bucketline
