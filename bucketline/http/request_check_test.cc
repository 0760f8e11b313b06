#include "bucketline/http/request_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/http/exchange_test_util.h"

namespace bucketline {
namespace {

using testing::HasSubstr;
using testing::Not;

void ExpectRefused(const HttpRequest& request) {
  const auto verdict = CheckRequest(request);
  ASSERT_FALSE(verdict.ok()) << request.method << " " << request.url;
  EXPECT_EQ(verdict.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(verdict.error().what(), Not(HasSubstr("secret")));
}

TEST(HostOf, LeavesThePortAndKeepsBrackets) {
  EXPECT_EQ(HostOf("s3.example.com:9000"), "s3.example.com");
  EXPECT_EQ(HostOf("s3.example.com"), "s3.example.com");
  EXPECT_EQ(HostOf("[fd00:ec2::23]:80"), "[fd00:ec2::23]");
  EXPECT_EQ(HostOf("[fd00:ec2::23]"), "[fd00:ec2::23]");
  EXPECT_EQ(HostOf("[never closed"), "[never closed");
  EXPECT_EQ(HostOf(""), "");
}

TEST(AuthorityOf, IsHostAndPortAlone) {
  EXPECT_EQ(AuthorityOf("http://host:81/path?secret"), "host:81");
  EXPECT_EQ(AuthorityOf("https://[::1]:9000"), "[::1]:9000");
  EXPECT_EQ(AuthorityOf("https://host?X-Amz-Signature=secret"), "host");
  EXPECT_EQ(AuthorityOf("https://user:secret@host/"), "host");
  EXPECT_EQ(AuthorityOf("nonsense"), "");
}

TEST(CheckRequest, TakesWhatS3Sends) {
  EXPECT_TRUE(CheckRequest(Get("https://b.s3.eu-west-1.amazonaws.com/a%20b/../c?list-type=2&prefix=")).ok());
  EXPECT_TRUE(CheckRequest(Get("HTTP://127.0.0.1:9000")).ok());
  EXPECT_TRUE(CheckRequest(WithBody("PUT", "http://h/", "x")).ok());
  EXPECT_TRUE(CheckRequest(WithBody("POST", "http://h/", "x")).ok());
  EXPECT_TRUE(CheckRequest(WithBody("DELETE", "http://h/", "")).ok());
  HttpRequest request = Get("http://h/");
  request.headers.Add("x-amz-meta-name", "w\xc3\xbcrde; a=b");
  EXPECT_TRUE(CheckRequest(request).ok());
}

TEST(CheckRequest, RefusesOtherUrls) {
  for (const char* url : {"", "host/secret", "ftp://host/secret", "file:///etc/secret", "http://",
                          "http:///secret", "http://user:secret@host/", "http://host/a b?secret",
                          "http://host/\n?secret", "http://host/w\xc3\xbcrde", "http://host/#secret"}) {
    ExpectRefused(Get(url));
  }
}

TEST(CheckRequest, RefusesHeadersThatBreakOut) {
  for (const auto& [name, value] : {std::pair{"x y", "secret"},
                                    {"", "secret"},
                                    {"x:y", "secret"},
                                    {"x\r\n", "secret"},
                                    {"x", "secret\r\nHost: other"},
                                    {"x", "secret\n"}}) {
    HttpRequest request = Get("http://host/");
    request.headers.Add(name, value);
    ExpectRefused(request);
  }
  HttpRequest request = Get("http://host/");
  request.headers.Add("x", std::string("secret\0", 7));
  ExpectRefused(request);
}

TEST(CheckRequest, RefusesMethodsThatAreNoTokens) {
  ExpectRefused(WithBody("", "http://host/", ""));
  ExpectRefused(WithBody("GET /other HTTP/1.1\r\n", "http://host/", ""));
}

TEST(CheckRequest, OnlyPutAndPostHaveABody) {
  ExpectRefused(WithBody("GET", "http://host/", "secret"));
  ExpectRefused(WithBody("HEAD", "http://host/", "secret"));
  ExpectRefused(WithBody("DELETE", "http://host/", "secret"));
}

TEST(IsTransportHeader, NamesTheFourWithoutCase) {
  for (const char* name : {"host", "CONTENT-LENGTH", "Transfer-Encoding", "connection"}) {
    EXPECT_TRUE(IsTransportHeader(name));
  }
  EXPECT_FALSE(IsTransportHeader("Range"));
  EXPECT_FALSE(IsTransportHeader("Hosts"));
}

}  // namespace
}  // namespace bucketline
