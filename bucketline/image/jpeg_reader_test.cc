#include <algorithm>
#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

using testing::EncodeJpeg;
using ::testing::HasSubstr;
using testing::JpegOptions;
using testing::MakePicture;
using testing::Picture;

ImageSpec Spec(int channels = 3, ResizeFamily family = ResizeFamily::kPillow) {
  ImageSpec spec;
  spec.channels = channels;
  spec.family = family;
  return spec;
}

Picture Read(PixelReader& reader, const std::vector<uint8_t>& bytes, const ImageSpec& spec,
             const PixelWindow* window = nullptr) {
  const ImageInfo info = reader.Open(bytes);
  const PixelWindow all{0, 0, info.width, info.height};
  const PixelWindow& wanted = window != nullptr ? *window : all;
  reader.Start(wanted, spec);
  Picture out{wanted.right - wanted.left, wanted.bottom - wanted.top, spec.channels, {}};
  for (int y = 0; y < out.height; ++y) {
    const uint8_t* row = reader.NextRow();
    out.pixels.insert(out.pixels.end(), row, row + out.width * out.channels);
  }
  reader.Close();
  return out;
}

std::string ErrorOf(const std::vector<uint8_t>& bytes) {
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  try {
    Read(reader, bytes, Spec());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    return error.message();
  }
  return "none";
}

double MeanDifference(const Picture& a, const Picture& b) {
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

Picture Smooth(int width, int height, int channels = 3) {
  Picture picture{width, height, channels, {}};
  for (int i = 0; i < width * height * channels; ++i) {
    const int x = i / channels % width;
    const int y = i / channels / width;
    picture.pixels.push_back(static_cast<uint8_t>(40 + x + 2 * y + 20 * (i % channels)));
  }
  return picture;
}

TEST(JpegReaderTest, GivesThePicture) {
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  const Picture picture = Smooth(60, 40);
  for (const bool adobe_rgb : {false, true}) {
    const auto bytes = EncodeJpeg(picture, {.quality = 98, .adobe_rgb = adobe_rgb});
    EXPECT_LT(MeanDifference(Read(reader, bytes, Spec()), picture), 1.5);
  }
}

struct Variant {
  const char* name;
  JpegOptions options;
  int channels = 3;
};

class JpegWindowTest : public ::testing::TestWithParam<Variant> {};

// The promise of the margin: a window's pixels are those of the full decode.
TEST_P(JpegWindowTest, EqualsTheFullDecode) {
  const Variant& variant = GetParam();
  const auto bytes = EncodeJpeg(MakePicture(101, 75, variant.channels), variant.options);
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
    for (const int channels : {1, 3}) {
      const ImageSpec spec = Spec(channels, family);
      const Picture whole = Read(reader, bytes, spec);
      CounterRng rng(4, 0, 0);
      for (int i = 0; i < 150; ++i) {
        PixelWindow window;
        window.left = static_cast<int>(rng.NextBelow(101));
        window.top = static_cast<int>(rng.NextBelow(75));
        window.right =
            window.left + 1 + static_cast<int>(rng.NextBelow(static_cast<uint64_t>(101 - window.left)));
        window.bottom =
            window.top + 1 + static_cast<int>(rng.NextBelow(static_cast<uint64_t>(75 - window.top)));
        const Picture part = Read(reader, bytes, spec, &window);
        for (int y = 0; y < part.height; ++y) {
          ASSERT_EQ(std::memcmp(part.At(0, y), whole.At(window.left, window.top + y),
                                static_cast<size_t>(part.width * channels)),
                    0)
              << "window " << window.left << "," << window.top << " " << window.right << "," << window.bottom
              << " row " << y;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Variants, JpegWindowTest,
    ::testing::Values(
        Variant{"s444", {}}, Variant{"s422", {.h_sampling = 2}}, Variant{"s440", {.v_sampling = 2}},
        Variant{"s420", {.h_sampling = 2, .v_sampling = 2}}, Variant{"s411", {.h_sampling = 4}},
        Variant{"s410", {.h_sampling = 4, .v_sampling = 2}}, Variant{"s441", {.v_sampling = 4}},
        Variant{"s420_4", {.h_sampling = 2, .v_sampling = 4}}, Variant{"s3x1", {.h_sampling = 3}},
        Variant{"s1x3", {.v_sampling = 3}}, Variant{"s3x2", {.h_sampling = 3, .v_sampling = 2}},
        Variant{"s2x3", {.h_sampling = 2, .v_sampling = 3}},
        Variant{"progressive", {.h_sampling = 2, .v_sampling = 2, .progressive = true}},
        Variant{"restart", {.h_sampling = 2, .v_sampling = 2, .restart_blocks = 2}},
        Variant{"arithmetic", {.arithmetic = true}}, Variant{"grey", {}, 1}, Variant{"cmyk", {}, 4}),
    [](const auto& variant) { return variant.param.name; });

TEST(JpegReaderTest, GreyIsReplicated) {
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  const auto bytes = EncodeJpeg(MakePicture(30, 20, 1));
  const Picture grey = Read(reader, bytes, Spec(1));
  const Picture rgb = Read(reader, bytes, Spec(3));
  for (size_t i = 0; i < grey.pixels.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) ASSERT_EQ(rgb.pixels[3 * i + c], grey.pixels[i]);
  }
}

TEST(JpegReaderTest, GreyOfColourIsTheFamilys) {
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  const auto bytes = EncodeJpeg(MakePicture(30, 20));
  const Picture rgb = Read(reader, bytes, Spec(3));
  const Picture grey = Read(reader, bytes, Spec(1));
  for (size_t i = 0; i < grey.pixels.size(); ++i) {
    const uint8_t* p = rgb.pixels.data() + 3 * i;
    ASSERT_EQ(grey.pixels[i], (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 32768) >> 16);
  }
  const Picture luma = Read(reader, bytes, Spec(1, ResizeFamily::kTensorflow));
  EXPECT_LT(MeanDifference(luma, grey), 2);
  EXPECT_NE(luma.pixels, grey.pixels);
}

TEST(JpegReaderTest, CmykIsInvertedAsAdobeWritesIt) {
  Picture picture{16, 16, 4, {}};
  for (int i = 0; i < 256; ++i) picture.pixels.insert(picture.pixels.end(), {200, 100, 50, 128});
  const auto bytes = EncodeJpeg(picture, {.quality = 100});
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  const Picture pillow = Read(reader, bytes, Spec());
  const Picture tensorflow = Read(reader, bytes, Spec(3, ResizeFamily::kTensorflow));
  for (const Picture* rgb : {&pillow, &tensorflow}) {
    EXPECT_NEAR(rgb->pixels[0], 200 * 128 / 255, 3);
    EXPECT_NEAR(rgb->pixels[1], 100 * 128 / 255, 3);
    EXPECT_NEAR(rgb->pixels[2], 50 * 128 / 255, 3);
  }
}

TEST(JpegReaderTest, AWindowStopsAtItsLastRow) {
  auto bytes = EncodeJpeg(MakePicture(64, 640));
  bytes.resize(bytes.size() / 2);
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  const PixelWindow top{0, 0, 64, 100};
  EXPECT_NO_THROW(Read(reader, bytes, Spec(), &top));
}

TEST(JpegReaderTest, EveryTruncationIsNoticed) {
  for (const JpegOptions& options :
       {JpegOptions{}, JpegOptions{.progressive = true}, JpegOptions{.restart_blocks = 1},
        JpegOptions{.h_sampling = 2, .v_sampling = 2}, JpegOptions{.arithmetic = true}}) {
    const auto bytes = EncodeJpeg(MakePicture(24, 24), options);
    for (size_t size = 3; size + 4 < bytes.size(); ++size) {
      EXPECT_THAT(ErrorOf({bytes.begin(), bytes.begin() + static_cast<long>(size)}),
                  HasSubstr("truncated JPEG"))
          << size << " of " << bytes.size();
    }
  }
}

TEST(JpegReaderTest, OnlyTheEndMarkerMissingIsFine) {
  auto bytes = EncodeJpeg(MakePicture(24, 24));
  bytes.resize(bytes.size() - 2);
  EXPECT_EQ(ErrorOf(bytes), "none");
}

TEST(JpegReaderTest, GarbageBehindTheImageIsFine) {
  auto bytes = EncodeJpeg(MakePicture(24, 24));
  bytes.insert(bytes.end(), 100, 0x5a);
  EXPECT_EQ(ErrorOf(bytes), "none");
}

TEST(JpegReaderTest, SaysWhatLibjpegSays) {
  auto bytes = EncodeJpeg(MakePicture(24, 24));
  constexpr uint8_t kFrame[] = {0xff, 0xc0};
  const auto frame = std::search(bytes.begin(), bytes.end(), std::begin(kFrame), std::end(kFrame));
  auto lossless = bytes;
  lossless[static_cast<size_t>(frame - bytes.begin()) + 1] = 0xc3;
  EXPECT_THAT(ErrorOf(lossless), HasSubstr("Unsupported JPEG process"));
  auto deep = bytes;
  deep[static_cast<size_t>(frame - bytes.begin()) + 4] = 12;
  EXPECT_THAT(ErrorOf(deep), HasSubstr("Unsupported JPEG data precision 12"));
}

// The last scan of a progressive file, over and over.
TEST(JpegReaderTest, ScanBombsEnd) {
  auto bytes = EncodeJpeg(MakePicture(24, 24), {.progressive = true});
  constexpr uint8_t kScan[] = {0xff, 0xda};
  const auto last = std::find_end(bytes.begin(), bytes.end(), std::begin(kScan), std::end(kScan));
  const std::vector<uint8_t> scan(last, bytes.end() - 2);
  bytes.resize(bytes.size() - 2);
  for (int i = 0; i < 500; ++i) bytes.insert(bytes.end(), scan.begin(), scan.end());
  bytes.insert(bytes.end(), {0xff, 0xd9});
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("more than 100 scans"));
}

TEST(JpegReaderTest, IsUsableAfterAnError) {
  const auto owned = kJpegFormat.make_reader();
  PixelReader& reader = *owned;
  const auto good = EncodeJpeg(MakePicture(40, 40));
  const Picture first = Read(reader, good, Spec());
  for (size_t size = 3; size < good.size() - 10; size += 97) {
    EXPECT_THROW(Read(reader, {good.begin(), good.begin() + static_cast<long>(size)}, Spec()), Error);
    EXPECT_EQ(Read(reader, good, Spec()).pixels, first.pixels);
  }
}

}  // namespace
}  // namespace bucketline
