#include "bucketline/http/response_head.h"

#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

// Feeds whole lines; the verdict of the last one.
Result<bool> Feed(ResponseHeadParser& parser, std::initializer_list<std::string_view> lines) {
  Result<bool> verdict = false;
  for (const std::string_view line : lines) {
    verdict = parser.AddLine(std::string(line) + "\r\n");
    if (!verdict) return verdict;
  }
  return verdict;
}

ErrorCode CodeOf(std::initializer_list<std::string_view> lines) {
  ResponseHeadParser parser;
  const auto verdict = Feed(parser, lines);
  return verdict.ok() ? ErrorCode::kInternal : verdict.error().code();
}

TEST(ResponseHeadParser, ReadsStatusHeadersAndLength) {
  ResponseHeadParser parser;
  auto verdict =
      Feed(parser, {"HTTP/1.1 206 Partial Content", "ETag:\"x\"", "x-empty:", "Content-Length:  17 "});
  ASSERT_TRUE(verdict.ok());
  EXPECT_FALSE(*verdict);
  EXPECT_FALSE(parser.complete());
  verdict = parser.AddLine("\r\n");
  ASSERT_TRUE(verdict.ok());
  EXPECT_TRUE(*verdict);
  EXPECT_TRUE(parser.complete());
  EXPECT_EQ(parser.head().status, 206);
  EXPECT_EQ(parser.head().headers.Find("etag"), "\"x\"");
  EXPECT_EQ(parser.head().headers.Find("x-empty"), "");
  EXPECT_EQ(parser.head().content_length, 17u);
}

TEST(ResponseHeadParser, AReasonIsNotNeeded) {
  ResponseHeadParser parser;
  ASSERT_TRUE(Feed(parser, {"HTTP/1.1 200", ""}).ok());
  EXPECT_EQ(parser.head().status, 200);
  EXPECT_EQ(parser.head().content_length, std::nullopt);
}

TEST(ResponseHeadParser, SkipsInformationalHeads) {
  ResponseHeadParser parser;
  auto verdict = Feed(parser, {"HTTP/1.1 100 Continue", "x-early: 1", ""});
  ASSERT_TRUE(verdict.ok());
  EXPECT_FALSE(*verdict);
  verdict = Feed(parser, {"HTTP/1.1 103 Early Hints", "", "HTTP/1.1 204 No Content", ""});
  ASSERT_TRUE(verdict.ok());
  EXPECT_TRUE(*verdict);
  EXPECT_EQ(parser.head().status, 204);
  EXPECT_EQ(parser.head().headers.Find("x-early"), std::nullopt);
}

TEST(ResponseHeadParser, IgnoresTrailers) {
  ResponseHeadParser parser;
  ASSERT_TRUE(*Feed(parser, {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ""}));
  const auto verdict = Feed(parser, {"x-trailer: 1", ""});
  ASSERT_TRUE(verdict.ok());
  EXPECT_FALSE(*verdict);
  EXPECT_EQ(parser.head().headers.Find("x-trailer"), std::nullopt);
}

TEST(ResponseHeadParser, ChunkedHasNoLength) {
  ResponseHeadParser parser;
  ASSERT_TRUE(*Feed(parser, {"HTTP/1.1 200 OK", "Content-Length: 5", "transfer-encoding: chunked", ""}));
  EXPECT_EQ(parser.head().content_length, std::nullopt);
}

TEST(ResponseHeadParser, DropsFoldedAndNamelessLines) {
  ResponseHeadParser parser;
  ASSERT_TRUE(*Feed(parser, {"HTTP/1.1 200 OK", "a: 1", "  folded: 2", "nonsense", ""}));
  EXPECT_EQ(parser.head().headers.items().size(), 1u);
}

TEST(ResponseHeadParser, RefusesWhatIsNotHttp) {
  EXPECT_EQ(CodeOf({"SSH-2.0-OpenSSH_9.2"}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({""}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1"}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1 2x0 OK"}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1 -20 OK"}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1 20 OK"}), ErrorCode::kCorruptData);
}

TEST(ResponseHeadParser, RefusesUnusableLengths) {
  EXPECT_EQ(CodeOf({"HTTP/1.1 200 OK", "Content-Length: 1e3", ""}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1 200 OK", "Content-Length: -1", ""}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1 200 OK", "Content-Length:", ""}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1 200 OK", "Content-Length: 99999999999999999999", ""}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({"HTTP/1.1 200 OK", "Content-Length: 1", "content-length: 2", ""}),
            ErrorCode::kCorruptData);
}

TEST(ResponseHeadParser, TheSameLengthTwiceIsFine) {
  ResponseHeadParser parser;
  ASSERT_TRUE(*Feed(parser, {"HTTP/1.1 200 OK", "Content-Length: 7", "Content-Length: 7", ""}));
  EXPECT_EQ(parser.head().content_length, 7u);
}

TEST(ResponseHeadParser, HasALimit) {
  ResponseHeadParser parser;
  ASSERT_TRUE(Feed(parser, {"HTTP/1.1 200 OK"}).ok());
  const std::string line = "x: " + std::string(64 << 10, 'y');
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(parser.AddLine(line).ok());
  const auto verdict = parser.AddLine(line);
  ASSERT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.error().code(), ErrorCode::kCorruptData);
}

}  // namespace
}  // namespace bucketline
