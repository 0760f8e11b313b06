#include "bucketline/image/probe.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

using testing::EncodeJpeg;
using testing::EncodePng;
using ::testing::HasSubstr;
using testing::MakePicture;

std::span<const uint8_t> Span(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string MessageOf(std::span<const uint8_t> data) {
  try {
    ProbeImage(data);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    return error.message();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

TEST(ProbeTest, SaysWhatTheBytesLookLike) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, const char*> cases[] = {
      {""sv, "empty (0 bytes)"},
      {"<!DOCTYPE html><title>Sign in</title>"sv, "HTML page"},
      {"\r\n <HTML>"sv, "HTML page"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"sv, "XML document"},
      {"<Error><Code>SlowDown</Code></Error>"sv, "XML document"},
      {"id,label\n1,cat\n"sv, "looks like text"},
      {"GIF89a\1\0\1\0"sv, "truncated GIF"},
      {"RIFF\x24\0\0\0WEBPVP8 "sv, "truncated WebP"},
      {"BM\x36\0\0\0"sv, "truncated BMP"},
      {"II*\0\x08\0\0\0"sv, "a TIFF image"},
      {"MM\0*\0\0\0\x08"sv, "a TIFF image"},
      {"\0\0\0\x20"
       "ftypavif"sv,
       "an AVIF image"},
      {"\0\0\0\x18"
       "ftypheic"sv,
       "a HEIC image"},
      {"\xff\xd8"sv, "truncated image: only the first 2 bytes"},
      {"\x89PN"sv, "truncated image: only the first 3 bytes"},
      {"\x1f\x8b\x08\0\0\0\0\0\0\3"sv, "no JPEG, PNG, WebP, GIF or BMP: it starts with 1f8b080000000000"},
      {"\0"sv, "it starts with 00"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_THAT(MessageOf(Span(bytes)), HasSubstr(text));
}

TEST(ProbeTest, ReadsJpegHeaders) {
  for (const int channels : {1, 3, 4}) {
    for (const bool progressive : {false, true}) {
      const auto bytes = EncodeJpeg(MakePicture(37, 21, channels), {.progressive = progressive});
      const ImageInfo info = ProbeImage(bytes);
      EXPECT_EQ(info.format, ImageFormat::kJpeg);
      EXPECT_EQ(info.width, 37);
      EXPECT_EQ(info.height, 21);
      EXPECT_EQ(info.channels, channels);
      EXPECT_EQ(info.buffered, progressive);
      const ImageInfo opened = kJpegFormat.make_reader()->Open(bytes);
      EXPECT_EQ(opened.width, info.width);
      EXPECT_EQ(opened.height, info.height);
      EXPECT_EQ(opened.channels, info.channels);
      EXPECT_EQ(opened.buffered, info.buffered);
    }
  }
}

TEST(ProbeTest, ReadsPngHeaders) {
  for (const int channels : {1, 2, 3, 4}) {
    const ImageInfo info = ProbeImage(EncodePng(MakePicture(5, 300, channels)));
    EXPECT_EQ(info.format, ImageFormat::kPng);
    EXPECT_EQ(info.width, 5);
    EXPECT_EQ(info.height, 300);
    EXPECT_EQ(info.channels, channels);
    EXPECT_FALSE(info.buffered);
  }
}

TEST(ProbeTest, EveryCutInTheHeaderIsTruncated) {
  const auto jpeg = EncodeJpeg(MakePicture(16, 16));
  constexpr uint8_t kScan[] = {0xff, 0xda};
  const auto scan = std::search(jpeg.begin(), jpeg.end(), std::begin(kScan), std::end(kScan));
  for (long size = 3; size < scan - jpeg.begin() + 4; ++size) {
    EXPECT_THAT(MessageOf({jpeg.data(), static_cast<size_t>(size)}), HasSubstr("truncated JPEG")) << size;
  }
  const auto png = EncodePng(MakePicture(16, 16));
  for (size_t size = 8; size < 29; ++size) {
    EXPECT_THAT(MessageOf({png.data(), size}), HasSubstr("truncated PNG")) << size;
  }
}

TEST(ProbeTest, BrokenHeaders) {
  auto png = EncodePng(MakePicture(16, 16));
  const auto with = [&png](size_t at, uint8_t value) {
    auto copy = png;
    copy[at] = value;
    return copy;
  };
  EXPECT_THAT(MessageOf(with(11, 12)), HasSubstr("first chunk"));
  EXPECT_THAT(MessageOf(with(12, 'i')), HasSubstr("first chunk"));
  EXPECT_THAT(MessageOf(with(19, 0)), HasSubstr("width"));
  EXPECT_THAT(MessageOf(with(20, 0x80)), HasSubstr("height"));
  EXPECT_THAT(MessageOf(with(25, 5)), HasSubstr("colour type 5"));
  using namespace std::string_view_literals;
  EXPECT_THAT(MessageOf(Span("\xff\xd8\xff\xd9"sv)), HasSubstr("ends before"));
  EXPECT_THAT(MessageOf(Span("\xff\xd8\xff\xe0\0\1"sv)), HasSubstr("bad length"));
  EXPECT_THAT(MessageOf(Span("\xff\xd8\xff\xc0\0\7\x08\0\1\0\1"sv)), HasSubstr("too short"));
  EXPECT_THAT(MessageOf(Span("\xff\xd8\xff\xc0\0\x08\x08\0\0\0\1\1"sv)), HasSubstr("empty image"));
  EXPECT_THAT(MessageOf(Span("\xff\xd8\xff\xda\0\3\1"sv)), HasSubstr("without a frame"));
}

TEST(ProbeTest, SideLimitNamesSizeAndLimit) {
  ImageSpec spec;
  spec.max_side = 500;
  EXPECT_NO_THROW(RequireLimits({ImageFormat::kPng, 500, 1, 3, false}, spec));
  EXPECT_THROW(RequireLimits({ImageFormat::kPng, 501, 1, 3, false}, spec), Error);
  try {
    RequireLimits({ImageFormat::kPng, 2, 1000, 3, false}, spec);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
    EXPECT_THAT(error.message(), HasSubstr("2 x 1000 pixels, more than max_side = 500"));
  }
}

TEST(ProbeTest, PixelLimitNamesSizeAndLimit) {
  ImageSpec spec;
  spec.max_pixels = 100;
  EXPECT_NO_THROW(RequireLimits({ImageFormat::kPng, 10, 10, 3, false}, spec));
  try {
    RequireLimits({ImageFormat::kPng, 65'535, 65'535, 3, false}, spec);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
    EXPECT_THAT(error.message(), HasSubstr("65535 x 65535 = 4294836225 pixels, more than max_pixels = 100"));
  }
}

}  // namespace
}  // namespace bucketline
