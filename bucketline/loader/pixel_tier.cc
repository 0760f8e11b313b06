#include "bucketline/loader/pixel_tier.h"

#include <cstring>
#include <string>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/cache/caching_store.h"
#include "bucketline/image/base_levels.h"
#include "bucketline/image/level_writer.h"

namespace bucketline {
namespace {

// What is kept beside the pixels.
struct Note {
  int32_t width = 0;  // of the image, as it is shown
  int32_t height = 0;
};

std::string TextOf(const Note& note) { return {reinterpret_cast<const char*>(&note), sizeof note}; }

void RequireBase(const Field& field, const ImageSpec& spec, const Dataset& dataset) {
  if (HasBase(spec)) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("cache_pixels keeps pixels as they are before augmentation, and crop=\"random_resized\"{} "
                  "cuts others out of the image each time; leave cache_pixels out (the cache then keeps "
                  "the objects), or crop \"center\", \"pad\" or \"none\"",
                  field.name.empty() ? "" : fmt::format(" of \"{}\"", field.name)),
      dataset.source());
}

}  // namespace

ImageSpec SpecToDecode(const Field& field, const LoaderOptions& options) {
  return options.transform ? LevelsOf(field.image) : field.image;
}

PixelTier::PixelTier(const Dataset& dataset, std::span<const Field> fields, const LoaderOptions& options) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].decode) continue;
    const ImageSpec spec = SpecToDecode(fields[i], options);
    for (const auto& store : dataset.StoresOf(fields[i].part)) {
      const auto* caching = dynamic_cast<const CachingStore*>(store.get());
      if (caching == nullptr || !caching->keeps_pixels()) continue;
      RequireBase(fields[i], spec, dataset);
      if (auto blobs = caching->OpenBlobs(BaseText(spec)))
        caches_[{i, store.get()}] = {.blobs = std::move(blobs), .base = BaseOf(spec)};
    }
  }
}

KeptPixels PixelTier::Find(size_t field, const PartPlace& place, bool look) const {
  const auto found = caches_.find({field, place.store.get()});
  if (found == caches_.end()) return {};
  const RecordPart& part = place.part;
  KeptPixels pixels{
      .cache = found->second.blobs.get(),
      .id = found->second.blobs->IdOf(
          {.key = part.object_key, .offset = part.offset, .length = part.length, .etag = part.etag})};
  if (!look) return pixels;
  const std::optional<BlobCache::Found> kept = pixels.cache->Find(*pixels.id);
  Note note;
  if (!kept || kept->note.size() != sizeof note) return pixels;
  std::memcpy(&note, kept->note.data(), sizeof note);
  pixels.info.width = note.width;
  pixels.info.height = note.height;
  ImageSpec base = found->second.base;
  if (base.height == 0) {
    base.height = note.height;
    base.width = note.width;
  }
  pixels.found = kept->size == base.RowBytes();
  return pixels;
}

bool PixelTier::Read(const KeptPixels& pixels, std::span<uint8_t> base) {
  return pixels.cache->Read(*pixels.id, base);
}

void PixelTier::Keep(const KeptPixels& pixels, const ImageGeometry& geometry, std::span<const uint8_t> base) {
  pixels.cache->Add(*pixels.id, TextOf({.width = geometry.source_width, .height = geometry.source_height}),
                    base);
}

}  // namespace bucketline
