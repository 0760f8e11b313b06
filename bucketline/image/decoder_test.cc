#include "bucketline/image/decoder.h"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

using testing::ByteRows;
using testing::EncodeJpeg;
using testing::EncodePng;
using ::testing::HasSubstr;
using testing::MakePicture;
using testing::Picture;

CounterRng Rng(uint64_t position = 0) { return CounterRng(3, 0, position); }

template <typename T = uint8_t>
std::vector<T> Decode(const std::vector<uint8_t>& bytes, const ImageSpec& spec, CounterRng rng = Rng(),
                      ImageGeometry* geometry = nullptr) {
  ImageDecoder decoder;
  ImageSpec sized = spec;
  if (sized.height == 0) {
    const ImageInfo info = ProbeImage(bytes);
    sized.height = info.height;
    sized.width = info.width;
  }
  std::vector<T> row(sized.RowBytes() / sizeof(T));
  const ImageGeometry done =
      decoder.DecodeInto(bytes, spec, rng, {reinterpret_cast<uint8_t*>(row.data()), sized.RowBytes()});
  if (geometry != nullptr) *geometry = done;
  return row;
}

// A triangle filter by the definition, in doubles and without rounding between the passes.
std::vector<double> SlowResize(const Picture& in, int left, int top, int width, int height, int out_width,
                               int out_height, bool antialias) {
  const auto taps = [antialias](int out, int size, int resized) {
    const double scale = static_cast<double>(size) / resized;
    const double reach = antialias ? std::max(scale, 1.0) : 1.0;
    std::vector<double> weights(static_cast<size_t>(size));
    double sum = 0;
    double center = (out + 0.5) * scale;
    if (!antialias) center = std::min(std::max(center, 0.5), size - 0.5);
    for (int i = 0; i < size; ++i) {
      weights[static_cast<size_t>(i)] = std::max(0.0, 1 - std::fabs(i + 0.5 - center) / reach);
      sum += weights[static_cast<size_t>(i)];
    }
    for (double& weight : weights) weight /= sum;
    return weights;
  };
  std::vector<double> out;
  for (int y = 0; y < out_height; ++y) {
    const auto rows = taps(y, height, out_height);
    for (int x = 0; x < out_width; ++x) {
      const auto columns = taps(x, width, out_width);
      for (int c = 0; c < in.channels; ++c) {
        double sum = 0;
        for (int j = 0; j < height; ++j) {
          if (rows[static_cast<size_t>(j)] == 0) continue;
          for (int i = 0; i < width; ++i) {
            sum +=
                rows[static_cast<size_t>(j)] * columns[static_cast<size_t>(i)] * in.At(left + i, top + j)[c];
          }
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

template <typename T>
double MaxDifference(const std::vector<T>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) most = std::max(most, std::fabs(a[i] - b[i]));
  return most;
}

TEST(ImageDecoderTest, AsItIsTheRowIsThePicture) {
  const Picture picture = MakePicture(33, 21);
  EXPECT_EQ(Decode(EncodePng(picture), ByteRows(0, 0)), picture.pixels);
  EXPECT_EQ(Decode(EncodePng(picture), ByteRows(21, 33)), picture.pixels);
}

TEST(ImageDecoderTest, StretchIsATriangleFilter) {
  const Picture picture = MakePicture(41, 37);
  const auto bytes = EncodePng(picture);
  for (const auto& [height, width] : {std::pair{11, 13}, {60, 70}, {5, 80}, {37, 9}, {1, 1}}) {
    for (const bool antialias : {true, false}) {
      const auto expected = SlowResize(picture, 0, 0, 41, 37, width, height, antialias);
      ImageSpec spec = ByteRows(height, width);
      spec.antialias = antialias;
      EXPECT_LE(MaxDifference(Decode(bytes, spec), expected), 1.01) << height << " " << width << antialias;
      spec.type = PixelType::kFloat32;
      spec.scale = 1;
      spec.family = ResizeFamily::kTensorflow;
      EXPECT_LE(MaxDifference(Decode<float>(bytes, spec), expected), 0.01)
          << height << " " << width << antialias;
    }
  }
}

TEST(ImageDecoderTest, ARandomBoxIsCutBeforeItIsStretched) {
  const Picture picture = MakePicture(90, 70);
  const auto bytes = EncodePng(picture);
  for (uint64_t i = 0; i < 20; ++i) {
    ImageGeometry g;
    const auto row = Decode(bytes, ByteRows(24, 24, Crop::kRandomResized), Rng(i), &g);
    EXPECT_EQ(g.source_width, 90);
    EXPECT_EQ(g.source_height, 70);
    const auto expected =
        SlowResize(picture, static_cast<int>(g.box_left), static_cast<int>(g.box_top),
                   static_cast<int>(g.box_width), static_cast<int>(g.box_height), 24, 24, true);
    EXPECT_LE(MaxDifference(row, expected), 1.01);
  }
}

TEST(ImageDecoderTest, CenterIsAPartOfTheWholeResize) {
  const auto bytes = EncodePng(MakePicture(90, 70));
  ImageSpec spec = ByteRows(32, 32, Crop::kCenter);
  spec.short_side = 40;
  const auto part = Decode(bytes, spec);
  const auto whole = Decode(bytes, ByteRows(40, 51));  // int(40 * 90 / 70)
  for (int y = 0; y < 32; ++y) {
    // Offsets round((40 - 32) / 2) and round(9.5), to the even 10.
    EXPECT_EQ(std::memcmp(&part[static_cast<size_t>(y) * 32 * 3],
                          &whole[static_cast<size_t>((y + 4) * 51 + 10) * 3], 32 * 3),
              0);
  }
}

TEST(ImageDecoderTest, JpegWindowsGiveTheWholeImagesPixels) {
  // The same boxes from the JPEG and from a PNG of its full decode.
  const auto jpeg = EncodeJpeg(MakePicture(120, 90), {.h_sampling = 2, .v_sampling = 2});
  const auto png = EncodePng(Picture{120, 90, 3, Decode(jpeg, ByteRows(0, 0))});
  for (uint64_t i = 0; i < 50; ++i) {
    const ImageSpec spec = ByteRows(32, 40, Crop::kRandomResized);
    EXPECT_EQ(Decode(jpeg, spec, Rng(i)), Decode(png, spec, Rng(i))) << i;
  }
  EXPECT_EQ(Decode(jpeg, ByteRows(40, 40, Crop::kCenter)), Decode(png, ByteRows(40, 40, Crop::kCenter)));
}

TEST(ImageDecoderTest, FlipMirrorsTheRow) {
  const auto bytes = EncodePng(MakePicture(50, 40));
  for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
    ImageSpec spec = ByteRows(20, 30);
    spec.family = family;
    const auto plain = Decode(bytes, spec);
    spec.flip = 1;
    ImageGeometry g;
    const auto flipped = Decode(bytes, spec, Rng(), &g);
    EXPECT_TRUE(g.flipped);
    for (int y = 0; y < 20; ++y) {
      for (int x = 0; x < 30; ++x) {
        for (int c = 0; c < 3; ++c) {
          ASSERT_EQ(flipped[static_cast<size_t>((y * 30 + x) * 3 + c)],
                    plain[static_cast<size_t>((y * 30 + 29 - x) * 3 + c)]);
        }
      }
    }
  }
}

TEST(ImageDecoderTest, LayoutsAndValuesAreTheSameLevels) {
  const auto bytes = EncodePng(MakePicture(50, 40));
  for (const int channels : {1, 3}) {
    ImageSpec spec = ByteRows(17, 23);
    spec.channels = channels;
    const auto levels = Decode(bytes, spec);
    ImageSpec planar = spec;
    planar.layout = PixelLayout::kNchw;
    const auto planes = Decode(bytes, planar);
    ImageSpec floats = planar;
    floats.type = PixelType::kFloat32;
    floats.mean = ImageSpec::kImagenetMean;
    floats.std = ImageSpec::kImagenetStd;
    const auto chw = Decode<float>(bytes, floats);
    floats.layout = PixelLayout::kNhwc;
    const auto hwc = Decode<float>(bytes, floats);
    for (int i = 0; i < 17 * 23; ++i) {
      for (int c = 0; c < channels; ++c) {
        const auto inner = static_cast<size_t>(i * channels + c);
        const auto outer = static_cast<size_t>(c * 17 * 23 + i);
        const auto k = static_cast<size_t>(c);
        ASSERT_EQ(planes[outer], levels[inner]);
        const float value =
            (static_cast<float>(levels[inner]) * floats.scale - floats.mean[k]) / floats.std[k];
        ASSERT_EQ(chw[outer], value);
        ASSERT_EQ(hwc[inner], value);
      }
    }
  }
}

TEST(ImageDecoderTest, TensorflowBytesAreRoundedFloats) {
  const auto bytes = EncodePng(MakePicture(50, 40));
  ImageSpec spec = ByteRows(30, 30);
  spec.family = ResizeFamily::kTensorflow;
  const auto rounded = Decode(bytes, spec);
  spec.type = PixelType::kFloat32;
  spec.scale = 1;
  const auto floats = Decode<float>(bytes, spec);
  for (size_t i = 0; i < floats.size(); ++i) ASSERT_EQ(rounded[i], std::floor(floats[i] + 0.5f));
}

TEST(ImageDecoderTest, ARowDependsOnDataSpecAndRngAlone) {
  const auto first = EncodeJpeg(MakePicture(120, 90));
  const auto second = EncodePng(MakePicture(30, 300));
  const ImageSpec spec = ByteRows(32, 32, Crop::kRandomResized);
  ImageDecoder busy;
  std::vector<uint8_t> row(spec.RowBytes());
  for (uint64_t i = 0; i < 10; ++i) {
    busy.DecodeInto(second, ByteRows(32, 32), Rng(i), row);
    EXPECT_THROW(busy.DecodeInto({first.data(), 300}, spec, Rng(i), row), Error);
    busy.DecodeInto(first, spec, Rng(i), row);
    EXPECT_EQ(row, Decode(first, spec, Rng(i)));
  }
  ImageDecoder moved = std::move(busy);
  moved.DecodeInto(first, spec, Rng(3), row);
  EXPECT_EQ(row, Decode(first, spec, Rng(3)));
}

void ExpectError(ErrorCode code, const char* text, const std::vector<uint8_t>& bytes, const ImageSpec& spec,
                 std::span<uint8_t> row) {
  ImageDecoder decoder;
  try {
    decoder.DecodeInto(bytes, spec, Rng(), row);
    ADD_FAILURE() << "no error: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.message(), HasSubstr(text));
  }
}

TEST(ImageDecoderTest, RefusesRowsOfAnotherSize) {
  const auto bytes = EncodePng(MakePicture(10, 10));
  std::vector<uint8_t> row(4096);
  ExpectError(ErrorCode::kInvalidArgument, "10 x 10 pixels need 300", bytes, ByteRows(0, 0),
              std::span(row).first(299));
  ExpectError(ErrorCode::kInvalidArgument, "need an image size", bytes, ByteRows(0, 0),
              std::span(row).first(301));
  ExpectError(ErrorCode::kInvalidArgument, "need 48", bytes, ByteRows(4, 4), row);
  ImageSpec floats = ByteRows(4, 4);
  floats.type = PixelType::kFloat32;
  ExpectError(ErrorCode::kInvalidArgument, "aligned", bytes, floats,
              std::span(row).subspan(1, floats.RowBytes()));
  ImageSpec bad = ByteRows(4, 4);
  bad.channels = 4;
  ExpectError(ErrorCode::kInvalidArgument, "channels", bytes, bad, row);
}

TEST(ImageDecoderTest, RefusesBombsByTheirHeader) {
  ImageSpec spec = ByteRows(4, 4);
  spec.max_pixels = 99;
  std::vector<uint8_t> row(spec.RowBytes());
  for (const auto& bytes : {EncodePng(MakePicture(10, 10)), EncodeJpeg(MakePicture(10, 10))}) {
    ExpectError(ErrorCode::kResourceExhausted, "10 x 10 = 100 pixels", bytes, spec, row);
  }
  auto bomb = EncodePng(MakePicture(10, 10), true);
  bomb[17] = 0xff;  // 16,711,690 pixels wide; the checksum of the header no longer matters
  ExpectError(ErrorCode::kResourceExhausted, "max_pixels", bomb, spec, row);
}

TEST(ImageDecoderTest, SaysWhatIsNoImage) {
  std::vector<uint8_t> row(48);
  ExpectError(ErrorCode::kCorruptData, "empty", {}, ByteRows(4, 4), row);
  ExpectError(ErrorCode::kCorruptData, "TIFF", {'I', 'I', '*', 0, 8, 0, 0, 0}, ByteRows(4, 4), row);
}

}  // namespace
}  // namespace bucketline
