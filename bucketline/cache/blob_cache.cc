#include "bucketline/cache/blob_cache.h"

namespace bucketline {

EntryId BlobCache::IdOf(const BlobSource& source) const {
  return EntryId(place_, source.key, source.offset, source.length, source.etag, recipe_);
}

// The entry, if it is the wanted one; what stands in its place leaves.
std::optional<EntryReader> BlobCache::Open(const EntryId& id) {
  std::optional<EntryReader> entry = cache_->Find(*dataset_, id);
  if (!entry || entry->state() == EntryReader::State::kWanted) return entry;
  if (entry->state() == EntryReader::State::kDamaged) cache_->counters().damaged.Add();
  cache_->Drop(*dataset_, id, *entry);
  return std::nullopt;
}

std::optional<BlobCache::Found> BlobCache::Find(const EntryId& id) {
  const std::optional<EntryReader> entry = Open(id);
  if (!entry) return std::nullopt;
  entry->ReadAhead();
  return Found{.size = entry->payload_size(), .note = entry->object().version};
}

bool BlobCache::Read(const EntryId& id, std::span<uint8_t> memory) {
  const std::optional<EntryReader> entry = Open(id);
  if (!entry || entry->payload_size() != memory.size()) return false;
  switch (cache_->Read(*entry, memory)) {
    case NodeCache::Bytes::kWhole:
      cache_->counters().pixel_hits.Add();
      cache_->counters().pixel_hit_bytes.Add(memory.size());
      return true;
    case NodeCache::Bytes::kDamaged:
      cache_->counters().damaged.Add();
      cache_->Drop(*dataset_, id, *entry);
      return false;
    case NodeCache::Bytes::kFailed:
      break;
  }
  return false;
}

void BlobCache::Add(const EntryId& id, std::string_view note, std::span<const uint8_t> blob) {
  cache_->counters().pixel_misses.Add();
  ObjectInfo object;
  object.etag = id.etag();
  object.version = note;
  cache_->Add(*dataset_, id, object, blob);
}

}  // namespace bucketline
