#include "bucketline/s3/bucket_place.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

Place At(std::string_view url, const std::string& region) {
  return {region, MakeEndpoint(url, region, "bucket", Addressing::kAuto)};
}

TEST(BucketPlaceTest, AtAwsTheEndpointMovesWithTheRegion) {
  BucketPlace bucket(At("", "us-east-1"), "bucket", Addressing::kAuto, false);
  const auto before = bucket.Get();
  EXPECT_TRUE(bucket.MoveTo("cn-north-1"));
  EXPECT_EQ(bucket.Get()->region, "cn-north-1");
  EXPECT_EQ(bucket.Get()->endpoint.Url(), "https://bucket.s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(before->region, "us-east-1");  // requests under way keep theirs
}

TEST(BucketPlaceTest, AnEndpointOfTheUsersStays) {
  BucketPlace bucket(At("http://store.test", "us-east-1"), "bucket", Addressing::kAuto, true);
  EXPECT_TRUE(bucket.MoveTo("eu-west-3"));
  EXPECT_EQ(bucket.Get()->region, "eu-west-3");
  EXPECT_EQ(bucket.Get()->endpoint.Url(), "http://store.test");
}

TEST(BucketPlaceTest, NothingNewAndNoRegionChangeNothing) {
  BucketPlace bucket(At("", "us-east-1"), "bucket", Addressing::kAuto, false);
  for (const char* region : {"us-east-1", "", "not a region", "x.evil.test", "eu/west"}) {
    EXPECT_FALSE(bucket.MoveTo(region)) << region;
    EXPECT_EQ(bucket.Get()->region, "us-east-1");
  }
}

}  // namespace
}  // namespace bucketline
