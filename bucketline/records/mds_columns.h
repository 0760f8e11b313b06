// MDS columns: what the JSON object in a shard says of each, and what the bytes of one mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/label_table.h"

namespace bucketline {

struct MdsColumn {
  std::string name;
  std::string encoding;
  std::optional<uint64_t> size;  // bytes; nullopt where each sample says
};

// Throws kCorruptData: no such object; kUnsupported: another format or version.
std::vector<MdsColumn> ReadMdsColumns(std::string_view json);

// Why this column's bytes cannot be a part; nullopt for bytes and files.
std::optional<std::string> WhyNoPart(const MdsColumn& column);

// The value of a number or a text; nullopt where the encoding is neither, or the bytes are not as many as it has.
std::optional<LabelValue> ValueOfMds(const MdsColumn& column, std::string_view bytes);

}  // namespace bucketline
