#include "bucketline/dataset/prefix_source.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/inventory.h"
#include "bucketline/dataset/key_filter.h"
#include "bucketline/dataset/listing_log.h"
#include "bucketline/dataset/object_pages.h"
#include "bucketline/dataset/shard_index.h"
#include "bucketline/records/manifest_diff.h"
#include "bucketline/records/shard_format.h"

namespace bucketline {
namespace {

Record RawRecord(ObjectInfo object) {
  Record record{.key = object.key, .parts = {}};
  record.parts.push_back({.object_key = std::move(object.key),
                          .offset = 0,
                          .length = object.size,
                          .object_size = object.size,
                          .etag = std::move(object.etag),
                          .version = std::move(object.version)});
  return record;
}

// Puts pages, in whatever order they come, where they belong.
class PrefixListing {
 public:
  PrefixListing(std::shared_ptr<ObjectStore> store, const Uri& uri, const DatasetOptions& options)
      : store_(std::move(store)),
        uri_(uri),
        options_(options),
        builder_(uri.ToString()),
        filter_(options.extensions, options.folder_markers) {}

  void Add(ListedRange listed) {
    if (options_.listing_left) options_.listing_left(listed.left);
    Add(std::move(listed.objects));
  }

  void Add(std::vector<ObjectInfo> objects) {
    if (options_.listing_progress) options_.listing_progress(objects.size());
    for (ObjectInfo& object : objects) {
      if (filter_.Accept(object)) {
        builder_.Add(RawRecord(std::move(object)));
      } else if (options_.format == "auto" && filter_.accepted() == 0 &&
                 ShardFormatOf(object.key) != nullptr) {
        shards_.push_back(std::move(object));
      }
    }
  }

  // A record of an older manifest that was accepted then.
  void Keep(Record record) {
    builder_.Add(std::move(record));
    ++kept_;
  }

  Source Finish(Runtime& runtime) && {
    if (kept_ + filter_.accepted() == 0 && !shards_.empty()) return IndexShards(runtime, Shards(), options_);
    if (kept_ == 0) filter_.CheckSomethingCame(uri_.ToString());
    return {.manifest = std::move(builder_).Build(), .stores = {{.store = store_, .pin = options_.pin}}};
  }

 private:
  // All of one format, or an error.
  ShardSet Shards() {
    std::sort(shards_.begin(), shards_.end(),
              [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
    const ShardFormat* format = ShardFormatOf(shards_.front().key);
    for (const ObjectInfo& shard : shards_) {
      if (const ShardFormat* other = ShardFormatOf(shard.key); other != format) {
        throw Error(ErrorCode::kInvalidArgument,
                    fmt::format("{} and {} shards are here; say by the format which are wanted", format->name,
                                other->name),
                    uri_.ToString());
      }
    }
    return {.format = format, .store = store_, .source = uri_.ToString(), .objects = std::move(shards_)};
  }

  const std::shared_ptr<ObjectStore> store_;
  const Uri& uri_;
  const DatasetOptions& options_;
  ManifestBuilder builder_;
  KeyFilter filter_;
  uint64_t kept_ = 0;
  std::vector<ObjectInfo> shards_;
};

void Note(const DatasetOptions& options, const std::string& line) {
  if (options.listing.note) options.listing.note(line);
}

// Page by page into the log, where there is one, after what is there already.
void ListAll(ObjectStore& store, const Uri& uri, const DatasetOptions& options, PrefixListing* listing) {
  const auto add = [&](ListedRange listed) { listing->Add(std::move(listed)); };
  if (options.listing.log.empty()) return ForEachPageInAnyOrder(store, uri, {KeyRange()}, options, add);
  const bool versions = options.pin == PinMode::kVersion;
  ListingLog log(options.listing.log, fmt::format("{}{}", uri.ToString(), versions ? " with versions" : ""));
  uint64_t known = 0;
  log.Replay([&](ListedRange listed) {
    known += listed.objects.size();
    add(std::move(listed));
  });
  if (known > 0) Note(options, fmt::format("{} objects were listed before", known));
  ForEachPageInAnyOrder(store, uri, log.Missing(), options, [&](ListedRange listed) {
    log.Append(listed);
    add(std::move(listed));
  });
}

// Throws unless `since` can be gone on from.
void CheckSince(const Manifest& since, const Uri& uri, PinMode pin) {
  const auto refuse = [&](const std::string& problem) {
    throw Error(ErrorCode::kInvalidArgument, problem, since.source());
  };
  if (since.source() != uri.ToString()) {
    refuse(fmt::format("the older manifest is of another prefix than {}", uri.ToString()));
  }
  if (since.part_names() != std::vector<std::string>{"data"} || since.has_checksums()) {
    refuse("the older manifest is not of raw objects");
  }
  if (since.size() > 0 && since.has_versions() != (pin == PinMode::kVersion)) {
    refuse("of the older manifest and the new one only one is to have versions");
  }
}

// Ranges of a page or less, evenly spread over the old keys; all of them when they are few.
std::vector<KeyRange> SpotChecks(const Manifest& since) {
  constexpr uint64_t kChecks = 8;
  constexpr uint64_t kObjects = 900;
  if (since.size() <= kChecks * kObjects) return {{.after = {}, .last = since.Key(since.size() - 1)}};
  std::vector<KeyRange> ranges;
  for (uint64_t i = 0; i < kChecks; ++i) {
    const uint64_t first = i * (since.size() - kObjects) / (kChecks - 1);
    ranges.push_back({.after = first == 0 ? std::string() : since.Key(first - 1),
                      .last = since.Key(first + kObjects - 1)});
  }
  return ranges;
}

// The number of the first record with a key above.
uint64_t After(const Manifest& manifest, const std::string& key) {
  uint64_t low = 0;
  uint64_t high = manifest.size();
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (manifest.Key(middle) > key) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Whether what is listed there now are the old records.
bool SameAs(const Manifest& since, ListedRange listed, const DatasetOptions& options) {
  KeyFilter filter(options.extensions, options.folder_markers);
  std::erase_if(listed.objects, [&](const ObjectInfo& object) { return !filter.Accept(object); });
  const uint64_t first = After(since, listed.range.after);
  const uint64_t end = After(since, *listed.range.last);
  const std::vector<Record> old = since.Range(first, end - first);
  return std::equal(old.begin(), old.end(), listed.objects.begin(), listed.objects.end(),
                    [](const Record& record, const ObjectInfo& object) {
                      return SameRecord(record, RawRecord(ObjectInfo(object)));
                    });
}

// The old records and the objects after them; false, and nothing added, where an old one is no longer as it was.
bool ListSince(ObjectStore& store, const Uri& uri, const DatasetOptions& options, PrefixListing* listing) {
  const Manifest& since = *options.listing.since;
  CheckSince(since, uri, options.pin);
  if (since.size() == 0) return false;
  std::optional<std::string> differs;
  ForEachPageInAnyOrder(store, uri, SpotChecks(since), options, [&](ListedRange listed) {
    std::string after = listed.range.after;
    if (!SameAs(since, std::move(listed), options) && (!differs || after < *differs)) differs = after;
  });
  if (differs) {
    Note(options, fmt::format("all is listed: after \"{}\" the objects are not those of the older manifest",
                              *differs));
    return false;
  }
  const std::string last = since.Key(since.size() - 1);
  ManifestCursor old(since);
  for (; const Record* record = old.Peek(); old.Pop()) listing->Keep(*record);
  ForEachPageInAnyOrder(store, uri, {{.after = last, .last = {}}}, options,
                        [&](ListedRange listed) { listing->Add(std::move(listed)); });
  Note(options,
       fmt::format("only keys after \"{}\" were listed: {} of the older manifest's are kept, of which "
                   "some were compared with what is there",
                   last, since.size()));
  return true;
}

void ListInventory(Runtime& runtime, const Uri& uri, const DatasetOptions& options, PrefixListing* listing) {
  if (options.listing.since) {
    throw Error(ErrorCode::kInvalidArgument, "an older manifest is of no use beside an inventory",
                uri.ToString());
  }
  const InventorySummary summary =
      ReadInventory(runtime, Uri::Parse(options.listing.inventory), uri, options,
                    [&](std::vector<ObjectInfo> objects) { listing->Add(std::move(objects)); });
  Note(options, fmt::format("nothing was listed: the inventory of {} UTC was read, {} files",
                            summary.created.empty() ? "an unknown time" : summary.created, summary.files));
}

}  // namespace

Source ListPrefix(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  const std::shared_ptr<ObjectStore> store = StoreOf(runtime, uri, options);
  PrefixListing listing(store, uri, options);
  if (!options.listing.inventory.empty()) {
    ListInventory(runtime, uri, options, &listing);
  } else if (!options.listing.since || !ListSince(*store, uri, options, &listing)) {
    ListAll(*store, uri, options, &listing);
  }
  return std::move(listing).Finish(runtime);
}

}  // namespace bucketline
