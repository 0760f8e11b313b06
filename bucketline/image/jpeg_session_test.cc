#include "bucketline/image/jpeg_session.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

using testing::EncodeJpeg;
using testing::MakePicture;

// Decodes all rows; returns how many came.
int ReadAll(JpegSession& session, std::span<const uint8_t> data, bool keep = false) {
  session.SetSource(data);
  if (keep) session.KeepTruncated();
  jpeg_decompress_struct& cinfo = session.cinfo();
  session.Run([&cinfo] { jpeg_read_header(&cinfo, TRUE); });
  session.Run([&cinfo] { jpeg_start_decompress(&cinfo); });
  std::vector<uint8_t> row(cinfo.output_width * static_cast<size_t>(cinfo.output_components));
  JSAMPROW pointer = row.data();
  int rows = 0;
  while (cinfo.output_scanline < cinfo.output_height) {
    session.Run([&] { jpeg_read_scanlines(&cinfo, &pointer, 1); });
    ++rows;
  }
  return rows;
}

std::string ErrorOf(JpegSession& session, std::span<const uint8_t> data) {
  try {
    ReadAll(session, data);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    return error.message();
  }
  return "none";
}

TEST(JpegSessionTest, IsReusableAfterSuccessAndError) {
  const auto bytes = EncodeJpeg(MakePicture(50, 40));
  JpegSession session;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReadAll(session, bytes), 40);
    EXPECT_FALSE(session.truncated());
    EXPECT_THAT(ErrorOf(session, std::span(bytes).first(bytes.size() / 2)),
                ::testing::HasSubstr("truncated"));
    auto broken = bytes;
    broken[3] = 0x10;  // not a segment that exists
    EXPECT_THAT(ErrorOf(session, broken), ::testing::HasSubstr("JPEG"));
  }
}

TEST(JpegSessionTest, KeepsWhatIsThereOnRequest) {
  const auto bytes = EncodeJpeg(MakePicture(50, 40));
  JpegSession session;
  EXPECT_EQ(ReadAll(session, std::span(bytes).first(bytes.size() / 2), true), 40);
  EXPECT_TRUE(session.truncated());
  EXPECT_TRUE(session.ran_out());
  EXPECT_EQ(ReadAll(session, bytes, true), 40);
  EXPECT_FALSE(session.truncated());
  EXPECT_THAT(ErrorOf(session, std::span(bytes).first(bytes.size() / 2)), ::testing::HasSubstr("truncated"));
}

TEST(JpegSessionTest, RefusesEndlessScans) {
  auto bytes = EncodeJpeg(MakePicture(24, 24), {.progressive = true});
  // The last scan again and again, before the end-of-image marker.
  size_t last = 0;
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (bytes[i] == 0xff && bytes[i + 1] == 0xda) last = i;
  }
  const std::vector<uint8_t> scan(bytes.begin() + static_cast<long>(last), bytes.end() - 2);
  for (int i = 0; i < 120; ++i) bytes.insert(bytes.end() - 2, scan.begin(), scan.end());
  JpegSession session;
  EXPECT_THAT(ErrorOf(session, bytes), ::testing::HasSubstr("more than 100 scans"));
}

}  // namespace
}  // namespace bucketline
