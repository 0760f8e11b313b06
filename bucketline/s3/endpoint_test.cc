#include "bucketline/s3/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

std::string Address(std::string_view url, std::string_view bucket, std::string_view region = "us-east-1") {
  const Endpoint endpoint = MakeEndpoint(url, region, bucket);
  return endpoint.Url() + endpoint.PathOf("k");
}

std::string Refusal(std::string_view url, std::string_view bucket = "bucket",
                    std::string_view region = "us-east-1") {
  try {
    MakeEndpoint(url, region, bucket);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  ADD_FAILURE() << url << " was taken";
  return {};
}

TEST(EndpointTest, AwsIsAddressedByVirtualHost) {
  EXPECT_EQ(Address("", "bucket", "eu-west-1"), "https://bucket.s3.eu-west-1.amazonaws.com/k");
  EXPECT_EQ(Address("", "bucket", "cn-north-1"), "https://bucket.s3.cn-north-1.amazonaws.com.cn/k");
}

TEST(EndpointTest, NamesThatNoHostCanHaveGoIntoThePath) {
  EXPECT_EQ(Address("", "my.bucket"), "https://s3.us-east-1.amazonaws.com/my.bucket/k");
  EXPECT_EQ(Address("", "Old_Bucket"), "https://s3.us-east-1.amazonaws.com/Old_Bucket/k");
}

TEST(EndpointTest, OtherEndpointsAreAddressedByPath) {
  EXPECT_EQ(Address("http://127.0.0.1:9000", "bucket"), "http://127.0.0.1:9000/bucket/k");
  EXPECT_EQ(Address("https://store.example/", "bucket"), "https://store.example/bucket/k");
  EXPECT_EQ(Address("https://store.example/s3/api//", "bucket"), "https://store.example/s3/api/bucket/k");
  EXPECT_EQ(Address("http://[::1]:9000", "bucket"), "http://[::1]:9000/bucket/k");
}

TEST(EndpointTest, HostIsWhatTheTransportWillSend) {
  EXPECT_EQ(MakeEndpoint("HTTP://Store.Example:80", "us-east-1", "b").host, "store.example");
  EXPECT_EQ(MakeEndpoint("https://store.example:443", "us-east-1", "b").host, "store.example");
  EXPECT_EQ(MakeEndpoint("http://store.example:443", "us-east-1", "b").host, "store.example:443");
}

TEST(EndpointTest, RefusesMalformedEndpointsNamingThem) {
  for (const char* url :
       {"store.example:9000", "ftp://store.example", "http://", "http://:9000",
        "http://host:", "http://host:x", "http://host:0", "http://host:65536", "http://host/?a=b",
        "http://host/#f", "http://ho st", "http://host/%41", "http://host\r\nX: y"}) {
    EXPECT_THAT(Refusal(url), ::testing::HasSubstr(url)) << url;
  }
}

TEST(EndpointTest, DoesNotRepeatAPasswordInTheMessage) {
  const std::string message = Refusal("http://user:hunter2@host");
  EXPECT_THAT(message, ::testing::HasSubstr("user name"));
  EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr("hunter2")));
}

TEST(EndpointTest, RefusesNamesThatWouldChangeTheAddress) {
  for (const char* bucket : {"", "a/b", "..", "a b", "a?b", "a@b"}) Refusal("http://host", bucket);
  for (const char* region : {"", "us east", "us-east-1/x", "evil.example#", "US-EAST-1"})
    Refusal("", "bucket", region);
}

}  // namespace
}  // namespace bucketline
