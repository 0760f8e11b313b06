// What tests of TFRecords share: messages and records made in the test.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/crc32c.h"
#include "bucketline/records/tfrecord_format.h"
#include "bucketline/records/varint.h"

namespace bucketline::records_testing {

// A field of protobuf's wire type 2.
inline std::string Sized(uint64_t number, std::string_view bytes) {
  std::string field;
  AppendVarint(&field, number << 3 | 2);
  AppendSized(&field, bytes);
  return field;
}

inline std::string BytesFeature(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += Sized(1, value);
  return Sized(1, list);
}

inline std::string FloatFeature(const std::vector<float>& values) {
  std::string packed;
  for (const float value : values) AppendFixed32(&packed, std::bit_cast<uint32_t>(value));
  return Sized(2, Sized(1, packed));
}

inline std::string IntegerFeature(const std::vector<int64_t>& values) {
  std::string packed;
  for (const int64_t value : values) AppendVarint(&packed, static_cast<uint64_t>(value));
  return Sized(3, Sized(1, packed));
}

inline std::string Example(const std::vector<std::pair<std::string, std::string>>& features) {
  std::string entries;
  for (const auto& [name, feature] : features) entries += Sized(1, Sized(1, name) + Sized(2, feature));
  return Sized(1, entries);
}

inline std::string TfRecord(std::string_view message) {
  std::string record;
  AppendFixed64(&record, message.size());
  AppendFixed32(&record, MaskedCrc32c(Crc32cOf(record)));
  record += message;
  AppendFixed32(&record, MaskedCrc32c(Crc32cOf(message)));
  return record;
}

}  // namespace bucketline::records_testing
