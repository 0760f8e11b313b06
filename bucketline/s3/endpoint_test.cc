#include "bucketline/s3/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"

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

TEST(AddressingTest, EachStyleAtAwsAndElsewhere) {
  const auto url = [](std::string_view endpoint_url, std::string_view bucket, Addressing addressing) {
    const Endpoint endpoint = MakeEndpoint(endpoint_url, "eu-west-1", bucket, addressing);
    return endpoint.Url() + endpoint.PathOf("k");
  };
  const std::string aws = "https://s3.eu-west-1.amazonaws.com";
  EXPECT_EQ(url("", "b1", Addressing::kAuto), "https://b1.s3.eu-west-1.amazonaws.com/k");
  EXPECT_EQ(url("", "b1", Addressing::kVirtual), "https://b1.s3.eu-west-1.amazonaws.com/k");
  EXPECT_EQ(url("", "b1", Addressing::kPath), aws + "/b1/k");
  EXPECT_EQ(url("", "a.b", Addressing::kAuto), aws + "/a.b/k");
  EXPECT_EQ(url("http://x:9000/base", "b1", Addressing::kAuto), "http://x:9000/base/b1/k");
  EXPECT_EQ(url("http://x:9000/base", "b1", Addressing::kPath), "http://x:9000/base/b1/k");
  EXPECT_EQ(url("http://x:9000/base", "b1", Addressing::kVirtual), "http://b1.x:9000/base/k");
  EXPECT_EQ(url("http://x", "a.b", Addressing::kVirtual), "http://a.b.x/k");
}

TEST(AddressingTest, WhatCannotBeAVirtualHostIsSaid) {
  const std::pair<const char*, const char*> cases[] = {{"https://x", "a.b"},
                                                       {"http://x", "A"},
                                                       {"http://x", "a_b"},
                                                       {"http://127.0.0.1:9000", "b"},
                                                       {"http://[::1]:9000", "b"}};
  for (const auto& [url, bucket] : cases) {
    const auto result = Catch([&url = url, &bucket = bucket] {
      return MakeEndpoint(url, "eu-west-1", bucket, Addressing::kVirtual);
    });
    ASSERT_FALSE(result) << url;
    EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(result.error().message().find("path addressing"), std::string::npos);
  }
}

}  // namespace
}  // namespace bucketline
