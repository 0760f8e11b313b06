// BucketPlace: where a bucket's requests go and for which region they are signed; corrected when the bucket turns out to
// be elsewhere.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "bucketline/s3/endpoint.h"

namespace bucketline {

struct Place {
  std::string region;
  Endpoint endpoint;
};

// Thread-safe.
class BucketPlace {
 public:
  // `custom`: the endpoint is the user's own. It stays then, and only the region that is signed for changes.
  BucketPlace(Place place, std::string bucket, Addressing addressing, bool custom);

  // What requests use from now on. Those under way keep what they had.
  std::shared_ptr<const Place> Get() const;

  // The store says that the bucket is in `region`. False when that is nothing new or no region.
  bool MoveTo(const std::string& region);

 private:
  const std::string bucket_;
  const Addressing addressing_;
  const bool custom_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Place> place_;
};

}  // namespace bucketline
