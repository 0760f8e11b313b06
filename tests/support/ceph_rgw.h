// CephRgw: Ceph's S3 gateway for tests, which tests/support/ceph_rgw.sh started around this process.
#pragma once

#include <string>

#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {

class CephRgw {
 public:
  // Its URL by BUCKETLINE_CEPH_RGW; "" when none was started.
  static std::string FindProgram();

  explicit CephRgw(std::string url) : url_(std::move(url)) {}

  // How to reach it: endpoint, region, keys.
  S3Options Options() const;

  // A new, empty bucket; its name.
  std::string MakeBucket();

 private:
  std::string url_;
  int buckets_ = 0;
};

}  // namespace bucketline::testing
