// Tar: shards of WebDataset's layout. Members that follow each other and whose paths are the same up to the first dot of
// the name are one sample; what follows that dot, in lower case, is the member's name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bucketline/records/shard_scan.h"

namespace bucketline {

// Reads the headers, and of the payloads only members called `label` ("": none). The sample's key is the common path,
// without a leading "./". Folders, links, names without a dot or that begin with one, and "__name__" are passed over.
// Skipped: a sparse member, a name twice in a sample, a label of more than kLargestLabelMember, members beyond a sample's
// first 1024.
// Throws ShardDamage: a header that is none, a member beyond the end, an archive without its end mark; then the sample
// that is being read is left out. Throws kUnsupported for a compressed archive, and for one in several volumes.
void ScanTar(ShardBytes& shard, std::string_view label, SampleSink& sink);

// "a/1.seg.png" is ("a/1", "seg.png"); nullopt for names that are no member of a sample.
struct MemberName {
  std::string sample;
  std::string member;
};
std::optional<MemberName> SplitMemberName(std::string_view path);

}  // namespace bucketline
