// Dataset: what users open: manifests, or a view of them, and the stores to read them from.
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
#include "bucketline/records/manifest_list.h"
#include "bucketline/records/part_choice.h"
#include "bucketline/runtime/runtime.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// What binds a read to what was listed: the ETag, the size alone, or the version, which a bucket that keeps
// versions goes on to serve after the object was overwritten.
enum class PinMode { kEtag, kSize, kVersion };

// Whether one object may stand in a dataset more than once.
enum class Repeats { kError, kAllow };

// What damage in a shard is: the end, or something to log and leave out.
enum class Damaged { kError, kSkip };

// How a prefix of raw objects comes to be known when it is large. kUnsupported, when any of it is set, for a URI of
// something else; kInvalidArgument for `since` and `inventory` together.
struct ListingOptions {
  // A local file that keeps what was listed: if it is there already, the listing goes on from it. It is left behind, for
  // its user to remove when the manifest is saved.
  std::string log = {};
  // What was listed before, of the same prefix by the same options: only keys after its last one are asked for. That is
  // right where new keys come last (dates, counters) and old objects stay as they are, so some of the old ranges are
  // listed again; where one differs everything is listed.
  std::optional<Manifest> since = {};
  // The URI of an S3 Inventory's manifest.json (CSV): nothing is listed. What is newer than it is left out.
  std::string inventory = {};
  // Gets a line for a person: what was not listed, and why.
  std::function<void(const std::string& line)> note = {};

  bool any() const { return !log.empty() || since || !inventory.empty(); }
};

struct DatasetOptions {
  Labels labels = Labels::None();
  // "auto": by each URI's ending, else raw objects, or shards where a prefix has no object of these extensions.
  // "objects", "tfds" (a folder that TensorFlow Datasets prepared), or a format of records/shard_format.h.
  std::string format = "auto";
  std::string split = {};  // of "tfds": "train"; may be left out where there is one
  // Of shards: the parts of a record. Empty: one, "data", the sample's image.
  std::vector<PartChoice> parts = {};
  Missing missing = Missing::kError;  // of shards: a sample without one of the parts
  Damaged damaged = Damaged::kError;  // of shards: bytes that are wrong, or not there
  // Keys that count, by their ending, compared without case; empty: every key. Folder markers (keys ending in
  // "/") and zero-byte objects never count when this is not empty.
  std::vector<std::string> extensions = {".jpg", ".jpeg", ".png"};
  bool folder_markers = true;  // whether empty objects whose keys end in "/" count when every key does
  PinMode pin = PinMode::kEtag;
  Repeats repeats = Repeats::kError;  // of OpenAll
  std::optional<S3Options> s3 = {};   // instead of the Runtime's
  // After each page, with the objects so far in all sources; one call at a time.
  std::function<void(uint64_t objects)> listing_progress = {};
  // Before listing_progress, of one prefix of raw objects: about how many are still to come; nullopt while nobody can tell
  // (store/list_estimate.h), as of files, and of several prefixes at a time.
  std::function<void(std::optional<uint64_t> left)> listing_left = {};
  ListingOptions listing = {};
  std::stop_token stop = {};  // ends Open soon with kCancelled
};

// What a split goes by: each record's key, or its label (then each label is split by itself).
enum class SplitBy { kKey, kLabel };

// One part of a record, and what to read it from.
struct PartPlace {
  std::shared_ptr<ObjectStore> store;
  PinMode pin = PinMode::kEtag;
  RecordPart part;
};

// One record's bytes and what is known of it.
struct Sample {
  std::string key;
  std::string uri;
  Bytes data;
  uint64_t size = 0;
  std::string etag;
};

// A cheap value: copies share the manifests. The Runtime outlives it. Thread-safe. Records stand source after
// source, bytewise by key within each; a view keeps that order.
class Dataset {
 public:
  // `uri`: a prefix ("s3://bucket/prefix/", a folder), a saved manifest (its name ends in ".manifest"), or a training
  // channel that has files ("channel:train"; dataset/channel_place.h).
  // Lists once, page after page. Throws: what the store says; kNotFound for an empty prefix; kInvalidArgument
  // when keys are there but none with these extensions (naming a few that are), or for labels
  // (records/labels.h); kUnsupported for kVersion where no versions are kept; kInvalidArgument for a saved
  // manifest without them.
  static Dataset Open(Runtime& runtime, std::string_view uri, DatasetOptions options = {});

  // The records of `manifest`, read from the store of its source by the pin and `s3` of the options. Throws
  // kInvalidArgument for kVersion when it was made without versions.
  static Dataset Of(Runtime& runtime, Manifest manifest, const DatasetOptions& options = {});

  // Several of them, each read with the same options and labelled together, in the order given. Braces stand
  // for several URIs: "s3://bucket/train-{000..146}/", "/data/{train,extra}/" (dataset/braces.h). Throws as
  // Open and Concat do; kInvalidArgument for an empty list.
  static Dataset OpenAll(Runtime& runtime, const std::vector<std::string>& uris, DatasetOptions options = {});

  // The records of the first, then those of the second, and so on; views, other buckets and other stores are
  // fine. Classes are merged by name: they stay when all have the same, else they are sorted bytewise anew.
  // Throws kInvalidArgument: an empty list, labels of different kinds or widths, other names of parts (naming
  // two sources), and the same URI twice unless `repeats` allows it (naming it).
  static Dataset Concat(const std::vector<Dataset>& datasets, Repeats repeats = Repeats::kError);

  // Records with a part of each dataset, under the names given, from their stores and with their pins.
  // Partners have the same stem: the key below its dataset's prefix without its last extension ("a/1" for
  // "images/a/1.jpg" below "images/"). Keys, order and labels are those of the first dataset. Throws
  // kInvalidArgument: an empty list, a dataset of several sources or parts, a name twice, two keys of one
  // stem in one dataset (naming both), a key without a partner (naming it; with kDrop such keys are left out,
  // and it is an error when nothing is left).
  static Dataset Join(const std::vector<std::pair<std::string, Dataset>>& parts,
                      Missing missing = Missing::kError);

  uint64_t size() const;
  Runtime& runtime() const;
  const std::string& source() const;  // the URI of the prefix; of several, the first and how many more
  const std::vector<std::string>& part_names() const;  // {"data"} unless joined
  const std::vector<std::string>& classes() const;     // empty unless labels are, or stand for, classes
  LabelKind label_kind() const;
  size_t label_width() const;
  // Keys that were left out, for want of a label or a partner, when the dataset or what it was made of was
  // opened or joined.
  uint64_t dropped() const;

  // Preconditions: index < size(), part < part_names().size().
  std::string Key(uint64_t index) const;
  // Of the object that the part is; "URI#bytes=first-last" where it is a range of one.
  std::string UriAt(uint64_t index, size_t part = 0) const;
  const std::string& SourceAt(uint64_t index) const;  // of the prefix that it was listed from
  Record RecordAt(uint64_t index) const;
  PartPlace PlaceAt(uint64_t index, size_t part = 0) const;
  std::vector<std::shared_ptr<ObjectStore>> StoresOf(size_t part) const;  // that it is read from, each once
  uint64_t RecordBytes(uint64_t index) const;                             // of all parts
  int64_t LabelInteger(uint64_t index) const;                             // kClass and kInteger
  float LabelFloat(uint64_t index, size_t column = 0) const;              // kFloat and kVector
  uint64_t manifest_index(uint64_t index) const;                          // its number in manifests()

  uint64_t total_bytes() const;
  uint64_t largest_record() const;  // bytes of all its parts; 0 when empty
  std::string largest_record_uri() const;
  uint64_t fingerprint() const;  // of the manifests and the view
  bool has_checksums() const;    // of some parts; reads of those are checked

  // Reads one part of one record now. Throws what the store says; kObjectChanged when it is not what was
  // listed; kCorruptData when its checksum is not that of its bytes.
  Sample Read(uint64_t index, size_t part = 0, std::stop_token stop = {}) const;

  // The same records with other labels, one for each: what records/label_column.h makes. A view becomes a
  // dataset of its own, of which the rest can no longer be reached. Throws kInvalidArgument for another
  // number of labels.
  Dataset WithLabels(const LabelColumn& labels) const;

  // By a stable hash of each record's key: a new object never moves an old one. The first dataset gets about
  // `fraction` of the records, 0 < fraction < 1. The rule of Split({fraction, 1 - fraction}, seed).
  std::pair<Dataset, Dataset> Split(double fraction, uint64_t seed = 0) const;

  // One dataset for each fraction. The fractions are positive and add up to 1.
  // kKey: by a stable hash of the key, so each gets about its fraction, and a new object never moves an old
  // one.
  // kLabel (kClass and kInteger only): the records of each label are ordered by that hash and cut, so each
  // gets its fraction of every label to within one record; a new object moves at most one old one, of its own
  // label, across each cut, and no other.
  // Throws kInvalidArgument for other fractions and other labels.
  std::vector<Dataset> Split(const std::vector<double>& fractions, uint64_t seed = 0,
                             SplitBy by = SplitBy::kKey) const;

  // As by key, by the hash of what `group` says of it: records of one group (a patient, a video) stay
  // together, and a new object never moves an old one. Fractions are of groups.
  std::vector<Dataset> SplitGroups(const std::vector<double>& fractions, uint64_t seed,
                                   const std::function<std::string(std::string_view key)>& group) const;

  Dataset Filter(const std::function<bool(std::string_view key)>& keep) const;
  Dataset Slice(uint64_t first, uint64_t count) const;

  // These records. A view keeps the dataset's order, so the indices must ascend, each once (the order of
  // reading is the Loader's to shuffle). Throws kInvalidArgument naming one that does not, or that is not
  // below size().
  Dataset Select(const std::vector<uint64_t>& indices) const;

  // All but those with these keys, in every source that has one of them. Throws kInvalidArgument naming a key
  // that the dataset does not have.
  Dataset Without(const std::vector<std::string>& keys) const;

  // The same records, read through this cache (docs/cache.md) instead of the one that the Runtime was given, if any. Files
  // are read where they are. Throws kInvalidArgument for a folder or a size that does not do, naming it, and for another pin
  // than kEtag.
  Dataset Cached(const CacheOptions& cache) const;

  // Saves the whole manifest (not the view) at `uri`, which must end in ".manifest"; Open reads it back.
  // Throws kUnsupported when several sources or stores are behind it: one file cannot name them.
  // `s3` as in DatasetOptions. A stop request ends it soon with kCancelled.
  void Save(std::string_view uri, const std::optional<S3Options>& s3 = {}, std::stop_token stop = {}) const;

  // The whole manifests, of which this is a view; they need no Runtime.
  const ManifestList& manifests() const;

 private:
  struct State;
  explicit Dataset(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::vector<Dataset> Share(size_t parts, const std::function<size_t(uint64_t index)>& part_of) const;
  std::vector<Dataset> SplitLabels(const std::vector<double>& fractions, uint64_t seed) const;

  std::shared_ptr<const State> state_;
};

}  // namespace bucketline
