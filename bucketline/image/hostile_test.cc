// Hostile bytes: whatever they are, a decode ends with pixels or with an Error. Meant for the sanitizer
// builds.
#include <string>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/test_formats.h"

namespace bucketline {
namespace {

using testing::EncodeBmp;
using testing::EncodeGif;
using testing::EncodeJpeg;
using testing::EncodePng;
using testing::EncodeWebp;
using testing::MakePicture;
using testing::WithJpegOrientation;

std::vector<std::vector<uint8_t>> Seeds() {
  return {
      EncodeJpeg(MakePicture(35, 29)),
      EncodeJpeg(MakePicture(35, 29), {.h_sampling = 2, .v_sampling = 2}),
      EncodeJpeg(MakePicture(50, 18), {.h_sampling = 4}),
      EncodeJpeg(MakePicture(35, 29), {.h_sampling = 2, .v_sampling = 2, .progressive = true}),
      EncodeJpeg(MakePicture(35, 29), {.restart_blocks = 1}),
      EncodeJpeg(MakePicture(35, 29), {.arithmetic = true}),
      EncodeJpeg(MakePicture(35, 29, 1)),
      EncodeJpeg(MakePicture(35, 29, 4)),
      EncodePng(MakePicture(35, 29)),
      EncodePng(MakePicture(35, 29, 4), true),
      EncodePng(MakePicture(35, 29, 1)),
      EncodeWebp(MakePicture(35, 29)),
      EncodeWebp(MakePicture(35, 29), false),
      EncodeGif(35, 29, std::vector<uint8_t>(35 * 29, 1), {{1, 2, 3}, {4, 5, 6}}),
      EncodeGif(35, 29, std::vector<uint8_t>(35 * 29, 1), {{1, 2, 3}, {4, 5, 6}}, {.interlaced = true}),
      EncodeBmp(MakePicture(35, 29)),
      WithJpegOrientation(EncodeJpeg(MakePicture(35, 29)), 6),
  };
}

class HostileTest : public ::testing::Test {
 protected:
  // Every spec in turn, one decoder for all: an error must not spoil the next image.
  void Try(const std::vector<uint8_t>& data) {
    ImageSpec spec;
    spec.height = 16;
    spec.width = 20;
    spec.short_side = 24;
    spec.crop = static_cast<Crop>(tries_ % 4);
    spec.resize = static_cast<Resize>(tries_ / 4 % 5);
    spec.orient = tries_ % 2 == 0;
    spec.truncated = tries_ % 3 == 0 ? Truncated::kKeep : Truncated::kRaise;
    spec.dct_scaling = tries_ % 11 == 0;
    if (tries_ % 13 == 0) spec.jitter = {0.5, 0.5, 0.5};
    spec.family = tries_ % 2 == 0 ? ResizeFamily::kPillow : ResizeFamily::kTensorflow;
    spec.antialias = tries_ % 5 != 0 || spec.resize == Resize::kLanczos;
    spec.channels = tries_ % 7 == 0 ? 1 : 3;
    spec.layout = tries_ % 4 == 0 ? PixelLayout::kNhwc : PixelLayout::kNchw;
    spec.max_pixels = 1 << 18;
    std::vector<float> row(spec.RowBytes() / sizeof(float));
    try {
      decoder_.DecodeInto(data, spec, CounterRng(1, 2, tries_),
                          {reinterpret_cast<uint8_t*>(row.data()), spec.RowBytes()});
      ++decoded_;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kResourceExhausted)
          << error.what();
      EXPECT_FALSE(error.message().empty());
      ++refused_;
    }
    try {
      ProbeImage(data);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    }
    ++tries_;
  }

  ImageDecoder decoder_;
  uint64_t tries_ = 0;
  int decoded_ = 0;
  int refused_ = 0;
};

TEST_F(HostileTest, FlippedBits) {
  CounterRng rng(11, 0, 0);
  for (const auto& seed : Seeds()) {
    for (int i = 0; i < 400; ++i) {
      auto data = seed;
      for (uint64_t flips = 1 + rng.NextBelow(6); flips > 0; --flips) {
        data[rng.NextBelow(data.size())] ^= static_cast<uint8_t>(1 << rng.NextBelow(8));
      }
      Try(data);
    }
  }
  EXPECT_GT(decoded_, 500);
  EXPECT_GT(refused_, 500);
}

TEST_F(HostileTest, FlippedHeaderBytes) {
  CounterRng rng(12, 0, 0);
  for (const auto& seed : Seeds()) {
    for (size_t at = 0; at < std::min<size_t>(seed.size(), 700); at += 2) {
      auto data = seed;
      data[at] = static_cast<uint8_t>(rng.NextU64());
      Try(data);
    }
  }
}

TEST_F(HostileTest, EveryTruncation) {
  for (const auto& seed : Seeds()) {
    for (size_t size = 0; size < seed.size(); size += seed.size() > 1500 ? 3 : 1) {
      Try({seed.begin(), seed.begin() + static_cast<long>(size)});
    }
  }
  EXPECT_GT(refused_, 1000);
}

TEST_F(HostileTest, SplicedImages) {
  CounterRng rng(13, 0, 0);
  const auto seeds = Seeds();
  for (int i = 0; i < 1500; ++i) {
    auto data = seeds[rng.NextBelow(seeds.size())];
    const auto& other = seeds[rng.NextBelow(seeds.size())];
    data.resize(rng.NextBelow(data.size()) + 1);
    data.insert(data.end(), other.begin() + static_cast<long>(rng.NextBelow(other.size())), other.end());
    Try(data);
  }
}

TEST_F(HostileTest, Garbage) {
  CounterRng rng(14, 0, 0);
  for (int i = 0; i < 2000; ++i) {
    std::vector<uint8_t> data(rng.NextBelow(300));
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(rng.NextU64());
    const uint8_t* signature = nullptr;
    static constexpr uint8_t kJpeg[8] = {0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0};
    static constexpr uint8_t kPng[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (i % 3 == 1) signature = kJpeg;
    if (i % 3 == 2) signature = kPng;
    if (signature != nullptr && data.size() >= 8) std::copy(signature, signature + 8, data.begin());
    Try(data);
  }
  EXPECT_EQ(decoded_, 0);
}

}  // namespace
}  // namespace bucketline
