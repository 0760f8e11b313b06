// PixelTier: the pixels that a loader keeps in the caches of its dataset: of each image what its spec makes of it before
// chance plays a part (image/base_levels.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "bucketline/cache/blob_cache.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/image/decoder.h"
#include "bucketline/loader/field.h"
#include "bucketline/loader/loader.h"

namespace bucketline {

// What a field's images are decoded by: levels alone where a transform comes before the values.
ImageSpec SpecToDecode(const Field& field, const LoaderOptions& options);

// One field of one row.
struct KeptPixels {
  BlobCache* cache = nullptr;      // nullptr: they are not kept
  std::optional<EntryId> id = {};  // there
  bool found = false;              // they were there, of an image ...
  ImageInfo info{};                // ... of this size, as it is shown (nothing else is known of it)
};

// Immutable and thread-safe; blocks on the disk.
class PixelTier {
 public:
  // Throws kInvalidArgument, naming the field and what to do, where pixels are to be kept and chance decides which there are.
  PixelTier(const Dataset& dataset, std::span<const Field> fields, const LoaderOptions& options);

  bool any() const { return !caches_.empty(); }

  // The pixels of what is read from `place`. `look`: whether they are there, too.
  KeptPixels Find(size_t field, const PartPlace& place, bool look) const;

  // Fills `base` with pixels that were found. False when they are not there any more.
  static bool Read(const KeptPixels& pixels, std::span<uint8_t> base);
  // Keeps those of an image that was decoded.
  static void Keep(const KeptPixels& pixels, const ImageGeometry& geometry, std::span<const uint8_t> base);

 private:
  struct Cache {
    std::shared_ptr<BlobCache> blobs;
    ImageSpec base;
  };
  std::map<std::pair<size_t, const ObjectStore*>, Cache> caches_;  // by field and store
};

}  // namespace bucketline
