// MdsIndex: the index.json that MosaicML Streaming looks for beside MDS shards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bucketline/records/shard_encoder.h"

namespace bucketline {

struct MdsShard {
  std::string name;  // below the folder of index.json
  uint64_t bytes = 0;
  uint64_t samples = 0;
};

std::string MdsIndex(const PackSchema& schema, const std::vector<MdsShard>& shards);

}  // namespace bucketline
