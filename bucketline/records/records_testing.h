// What the tests of this folder share: records to build manifests from, and damage to do to bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/records/manifest.h"

namespace bucketline::records_testing {

inline bool Same(const RecordPart& a, const RecordPart& b) {
  return a.object_key == b.object_key && a.offset == b.offset && a.length == b.length &&
         a.object_size == b.object_size && a.etag == b.etag && a.version == b.version && a.crc32c == b.crc32c;
}

inline bool Same(const Record& a, const Record& b) {
  if (a.key != b.key || a.parts.size() != b.parts.size()) return false;
  for (size_t i = 0; i < a.parts.size(); ++i) {
    if (!Same(a.parts[i], b.parts[i])) return false;
  }
  return true;
}

inline Record RawRecord(std::string key, uint64_t size, std::string etag = "") {
  RecordPart part{
      .object_key = key, .offset = 0, .length = size, .object_size = size, .etag = std::move(etag)};
  return {.key = std::move(key), .parts = {std::move(part)}};
}

inline std::string Md5Etag(std::mt19937_64& random) { return '"' + Hex(Md5(std::to_string(random()))) + '"'; }

inline Manifest BuildManifest(const std::vector<Record>& records, std::string source = "s3://b/p/",
                              std::vector<std::string> part_names = {"data"}) {
  ManifestBuilder builder(std::move(source), std::move(part_names));
  for (const Record& record : records) builder.Add(record);
  return std::move(builder).Build();
}

inline Manifest ManifestOfKeys(const std::vector<std::string>& keys) {
  std::vector<Record> records;
  for (const std::string& key : keys) records.push_back(RawRecord(key, 1));
  return BuildManifest(records);
}

// Flips, inserts, removes or repeats a few bytes.
inline std::string Mutate(std::string bytes, std::mt19937_64& random) {
  for (uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 5) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<char>(random()));
        break;
      case 2:
        if (!bytes.empty()) bytes.erase(at, 1 + random() % 8);
        break;
      case 3:
        bytes.insert(at, bytes.substr(bytes.empty() ? 0 : random() % bytes.size(), random() % 16));
        break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    }
  }
  return bytes;
}

// The message of the Error that `f` throws with `code`; anything else fails the test.
inline std::string MessageOf(ErrorCode code, const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.message();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace bucketline::records_testing
