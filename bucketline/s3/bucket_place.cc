#include "bucketline/s3/bucket_place.h"

#include <utility>

#include "bucketline/base/result.h"

namespace bucketline {

BucketPlace::BucketPlace(Place place, std::string bucket, Addressing addressing, bool custom)
    : bucket_(std::move(bucket)),
      addressing_(addressing),
      custom_(custom),
      place_(std::make_shared<const Place>(std::move(place))) {}

std::shared_ptr<const Place> BucketPlace::Get() const {
  const std::lock_guard lock(mutex_);
  return place_;
}

bool BucketPlace::MoveTo(const std::string& region) {
  const std::lock_guard lock(mutex_);
  if (region == place_->region) return false;
  const Result<Endpoint> endpoint = Catch([&] { return MakeEndpoint("", region, bucket_, addressing_); });
  if (!endpoint) return false;  // no region has such a name
  place_ = std::make_shared<const Place>(Place{region, custom_ ? place_->endpoint : *endpoint});
  return true;
}

}  // namespace bucketline
