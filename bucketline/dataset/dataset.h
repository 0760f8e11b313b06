// Dataset: what users open: a manifest, or a view of it, and the store to read it from.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/records/labels.h"
#include "bucketline/records/manifest.h"
#include "bucketline/runtime/runtime.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

enum class PinMode { kEtag, kSize };

struct DatasetOptions {
  Labels labels = Labels::None();
  // Keys that count, by their ending, compared without case; empty: every key. Folder markers (keys ending in
  // "/") and zero-byte objects never count when this is not empty.
  std::vector<std::string> extensions = {".jpg", ".jpeg", ".png"};
  PinMode pin = PinMode::kEtag;
  std::optional<S3Options> s3 = {};                             // instead of the Runtime's
  std::function<void(uint64_t objects)> listing_progress = {};  // after each page
  std::stop_token stop = {};                                    // ends Open soon with kCancelled
};

// One record's bytes and what is known of it.
struct Sample {
  std::string key;
  std::string uri;
  Bytes data;
  uint64_t size = 0;
  std::string etag;
};

// A cheap value: copies share the manifest. The Runtime outlives it. Thread-safe.
class Dataset {
 public:
  // `uri`: a prefix ("s3://bucket/prefix/", a folder), or a saved manifest (its name ends in ".manifest").
  // Lists once, page after page. Throws: what the store says; kNotFound for an empty prefix; kInvalidArgument
  // when keys are there but none with these extensions (naming a few that are), or for labels
  // (records/labels.h).
  static Dataset Open(Runtime& runtime, std::string_view uri, DatasetOptions options = {});

  uint64_t size() const;
  Runtime& runtime() const;
  const std::string& source() const;                // the URI of the prefix
  const std::vector<std::string>& classes() const;  // empty unless labels are classes
  LabelKind label_kind() const;
  size_t label_width() const;

  // Preconditions: index < size().
  std::string Key(uint64_t index) const;
  std::string UriAt(uint64_t index) const;
  Record RecordAt(uint64_t index) const;
  uint64_t RecordBytes(uint64_t index) const;
  int64_t LabelInteger(uint64_t index) const;                 // kClass and kInteger
  float LabelFloat(uint64_t index, size_t column = 0) const;  // kFloat and kVector
  uint64_t manifest_index(uint64_t index) const;              // in the whole manifest

  uint64_t total_bytes() const;
  uint64_t largest_record() const;  // bytes; 0 when empty
  std::string largest_record_uri() const;
  uint64_t fingerprint() const;  // of the manifest and the view

  // Reads one record now. Throws what the store says; kObjectChanged when it is not what was listed.
  Sample Read(uint64_t index, std::stop_token stop = {}) const;

  // By a stable hash of each record's key: a new object never moves an old one. The first dataset gets about
  // `fraction` of the records, 0 < fraction < 1.
  std::pair<Dataset, Dataset> Split(double fraction, uint64_t seed = 0) const;
  Dataset Filter(const std::function<bool(std::string_view key)>& keep) const;
  Dataset Slice(uint64_t first, uint64_t count) const;

  // Saves the whole manifest (not the view) at `uri`, which must end in ".manifest"; Open reads it back.
  // `s3` as in DatasetOptions. A stop request ends it soon with kCancelled.
  void Save(std::string_view uri, const std::optional<S3Options>& s3 = {}, std::stop_token stop = {}) const;

  const std::shared_ptr<ObjectStore>& store() const;
  PinMode pin() const;
  const Manifest& manifest() const;  // the whole one, of which this is a view; needs no Runtime

 private:
  struct State;
  explicit Dataset(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace bucketline
