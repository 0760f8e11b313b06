// ManifestWriter: records in order, once, into the file form of a manifest.
#pragma once

#include <string>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/manifest_format.h"
#include "bucketline/records/record_run.h"

namespace bucketline {

class ManifestWriter {
 public:
  ManifestWriter(std::string source, std::vector<std::string> part_names);

  // Preconditions: keys ascend; one part for each part name. Throws kInvalidArgument naming a key that comes
  // twice.
  void Add(const Record& record);

  // The file, without labels. The writer is used up.
  Bytes Finish();

 private:
  ManifestHeader header_;
  RunWriter run_;
  std::string last_key_;
  std::string canonical_;
};

}  // namespace bucketline
