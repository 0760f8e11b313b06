#include <gtest/gtest.h>

#include "bucketline/http/transport.h"

namespace bucketline {
namespace {

TEST(HttpHeaders, FindsWithoutCaseAndTheFirst) {
  HttpHeaders headers;
  headers.Add("ETag", "\"one\"");
  headers.Add("etag", "\"two\"");
  headers.Add("Empty", "");
  EXPECT_EQ(headers.Find("eTAG"), "\"one\"");
  EXPECT_EQ(headers.Find("empty"), "");
  EXPECT_EQ(headers.Find("ETa"), std::nullopt);
  EXPECT_EQ(headers.Find("ETags"), std::nullopt);
  EXPECT_EQ(headers.Find(""), std::nullopt);
}

TEST(HttpHeaders, OnlyLettersHaveCase) {
  HttpHeaders headers;
  headers.Add("a[b", "bracket");  // '[' and '{' differ by the bit that tells the cases of letters apart
  EXPECT_EQ(headers.Find("A{B"), std::nullopt);
  EXPECT_EQ(headers.Find("A[B"), "bracket");
}

TEST(HttpHeaders, KeepsOrderAndRepetition) {
  HttpHeaders headers;
  headers.Add("b", "1");
  headers.Add("a", "2");
  headers.Add("b", "3");
  ASSERT_EQ(headers.items().size(), 3u);
  EXPECT_EQ(headers.items()[0].second, "1");
  EXPECT_EQ(headers.items()[2].second, "3");
}

}  // namespace
}  // namespace bucketline
