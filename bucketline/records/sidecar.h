// Sidecars: small JSON objects beside the records, each with the label of one.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "bucketline/records/label_table.h"

namespace bucketline {

// Where a record's sidecar is, by Labels::Sidecar's rules. Immutable.
class SidecarName {
 public:
  // Throws kInvalidArgument: an unknown word in braces, no word at all.
  explicit SidecarName(std::string text);

  // Of the record with this key, whose object has this URI. Throws kInvalidArgument with `uri` when "../"
  // leaves the bucket.
  std::string UriFor(std::string_view key, const std::string& uri) const;

 private:
  std::string Expand(std::string_view key) const;

  std::string text_;
};

// Why a record has no label.
struct NoLabel {
  std::string why;
};
using SidecarLabel = std::variant<LabelRow, NoLabel>;

// What a sidecar's bytes say: its field, or that it has none. Throws kInvalidArgument with `uri` for what is
// no JSON object, and for a field that is no label.
SidecarLabel ReadSidecar(const std::string& uri, std::string_view bytes, const std::string& field);

}  // namespace bucketline
