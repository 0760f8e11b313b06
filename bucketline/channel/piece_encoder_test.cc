#include "bucketline/channel/piece_encoder.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/gzip_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using testing::Gzip;

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class PieceEncoderTest : public ::testing::Test {
 protected:
  PieceEncoder Encoder(ChannelCompression compression, ChannelWrapper wrapper, uint64_t held = 100) {
    return {compression, wrapper, held,
            [this](std::span<const uint8_t> bytes) { sent_.append(bytes.begin(), bytes.end()); }};
  }

  // The object, in two calls.
  static void Send(PieceEncoder& encoder, std::string_view bytes) {
    encoder.Begin(bytes.size());
    encoder.Write(AsBytes(bytes.substr(0, bytes.size() / 2)));
    encoder.Write(AsBytes(bytes.substr(bytes.size() / 2)));
    encoder.End();
  }

  static std::string Record(std::string text) {
    std::string record("\x0a\x23\xd7\xce\0\0\0\0", 8);
    record[4] = static_cast<char>(text.size());
    text.resize((text.size() + 3) / 4 * 4);
    return record + text;
  }

  std::string sent_;
};

TEST_F(PieceEncoderTest, SendsThingsAsTheyAre) {
  PieceEncoder encoder = Encoder(ChannelCompression::kNone, ChannelWrapper::kNone);
  Send(encoder, "one");
  Send(encoder, "");
  encoder.Text(AsBytes("two"));
  EXPECT_EQ(sent_, "onetwo");
}

TEST_F(PieceEncoderTest, FramesEach) {
  PieceEncoder encoder = Encoder(ChannelCompression::kNone, ChannelWrapper::kRecordIo);
  Send(encoder, "object");
  Send(encoder, "");
  encoder.Text(AsBytes("text"));
  encoder.Text({});
  EXPECT_EQ(sent_, Record("object") + Record("") + Record("text") + Record(""));
}

TEST_F(PieceEncoderTest, InflatesObjectsAndNoText) {
  PieceEncoder encoder = Encoder(ChannelCompression::kGzip, ChannelWrapper::kNone);
  Send(encoder, Gzip("one"));
  encoder.Text(AsBytes("two"));
  Send(encoder, Gzip("three"));
  EXPECT_EQ(sent_, "onetwothree");
}

TEST_F(PieceEncoderTest, FramesWhatItInflated) {
  PieceEncoder encoder = Encoder(ChannelCompression::kGzip, ChannelWrapper::kRecordIo);
  Send(encoder, Gzip("one") + Gzip("two"));
  encoder.Text(AsBytes("text"));
  Send(encoder, "");
  EXPECT_EQ(sent_, Record("onetwo") + Record("text") + Record(""));
}

TEST_F(PieceEncoderTest, HoldsNoMoreThanItMay) {
  PieceEncoder encoder = Encoder(ChannelCompression::kGzip, ChannelWrapper::kRecordIo, 10);
  Send(encoder, Gzip("0123456789"));
  EXPECT_EQ(sent_, Record("0123456789"));
  EXPECT_EQ(ErrorOf([&] { Send(encoder, Gzip("0123456789a")); }).code(), ErrorCode::kResourceExhausted);
}

TEST_F(PieceEncoderTest, AnObjectThatEndsTooEarlyIsAnErrorAndSpoilsNoOther) {
  PieceEncoder encoder = Encoder(ChannelCompression::kGzip, ChannelWrapper::kRecordIo);
  const std::string gzip = Gzip("one");
  EXPECT_EQ(ErrorOf([&] { Send(encoder, gzip.substr(0, gzip.size() - 1)); }).code(), ErrorCode::kCorruptData);
  EXPECT_EQ(sent_, "");
  Send(encoder, gzip);
  EXPECT_EQ(sent_, Record("one"));
}

}  // namespace
}  // namespace bucketline
