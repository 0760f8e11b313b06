#include "bucketline/records/etag_codec.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;

const std::string kMd5 = "d41d8cd98f00b204e9800998ecf8427e";

std::string Pack(std::string_view etag) {
  std::string bytes;
  AppendEtag(&bytes, KindOfEtag(etag), etag);
  return bytes;
}

TEST(EtagCodec, PacksWhatS3MakesAndKeepsTheRest) {
  const std::vector<std::pair<std::string, EtagKind>> cases = {
      {"", EtagKind::kNone},
      {'"' + kMd5 + '"', EtagKind::kMd5},
      {'"' + kMd5 + "-1\"", EtagKind::kMultipart},
      {'"' + kMd5 + "-10000\"", EtagKind::kMultipart},
      {'"' + kMd5 + "-18446744073709551615\"", EtagKind::kMultipart},
      {'"' + kMd5 + "-18446744073709551616\"", EtagKind::kText},  // more than 64 bits
      {'"' + kMd5 + "-01\"", EtagKind::kText},                    // not how the number is written
      {'"' + kMd5 + "-0\"", EtagKind::kMultipart},
      {'"' + kMd5 + "-\"", EtagKind::kText},
      {'"' + kMd5 + "-1x\"", EtagKind::kText},
      {'"' + kMd5 + "--1\"", EtagKind::kText},
      {'"' + kMd5 + "+1\"", EtagKind::kText},
      {kMd5, EtagKind::kText},  // without quotes
      {'"' + kMd5, EtagKind::kText},
      {kMd5 + "\"\"", EtagKind::kText},
      {"\"D41D8CD98F00B204E9800998ECF8427E\"", EtagKind::kText},  // upper case would come back as lower
      {'"' + kMd5.substr(1) + '"', EtagKind::kText},
      {"\"\"", EtagKind::kText},
      {"\"", EtagKind::kText},
      {"ino-123-456-789", EtagKind::kText},
      {std::string("a\0b", 3), EtagKind::kText},
  };
  for (const auto& [etag, kind] : cases) {
    EXPECT_EQ(KindOfEtag(etag), kind) << etag;
    const std::string bytes = Pack(etag);
    ByteReader reader(bytes);
    EXPECT_EQ(ReadEtag(&reader, kind).ToString(), etag);
    EXPECT_TRUE(reader.done()) << etag;
  }
}

TEST(EtagCodec, AnMd5TakesSixteenBytes) {
  EXPECT_EQ(Pack('"' + kMd5 + '"').size(), 16u);
  EXPECT_EQ(Pack('"' + kMd5 + "-100\"").size(), 17u);
  EXPECT_EQ(Pack("").size(), 0u);
}

TEST(EtagCodec, TruncatedBytesAreAnError) {
  for (const std::string& etag : {'"' + kMd5 + '"', '"' + kMd5 + "-5\"", std::string("\"text\"")}) {
    const std::string bytes = Pack(etag);
    for (size_t size = 0; size < bytes.size(); ++size) {
      MessageOf(ErrorCode::kCorruptData, [&] {
        ByteReader reader(std::string_view(bytes).substr(0, size));
        ReadEtag(&reader, KindOfEtag(etag));
      });
    }
  }
}

}  // namespace
}  // namespace bucketline
