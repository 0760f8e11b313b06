#include "bucketline/records/recordio.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Buffer = std::vector<uint8_t>;

Buffer FromHex(std::string_view hex) {
  Buffer bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    while (hex[i] == ' ') hex.remove_prefix(1);
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The record, given to the encoder in steps of `step` bytes.
Buffer Encode(std::span<const uint8_t> payload, size_t step = SIZE_MAX) {
  Buffer framed;
  RecordIoEncoder encoder(payload.size());
  const auto emit = [&](std::span<const uint8_t> bytes) {
    framed.insert(framed.end(), bytes.begin(), bytes.end());
  };
  if (payload.empty()) encoder.Write({}, emit);
  while (!payload.empty()) {
    const size_t size = std::min(step, payload.size());
    encoder.Write(payload.first(size), emit);
    payload = payload.subspan(size);
  }
  return framed;
}

std::vector<std::string> Decode(std::span<const uint8_t> stream, RecordIoJoin join = RecordIoJoin::kPlain,
                                size_t step = SIZE_MAX, uint64_t largest = 1 << 20) {
  std::vector<std::string> records;
  RecordIoDecoder decoder(join, largest);
  while (!stream.empty()) {
    const size_t size = std::min(step, stream.size());
    decoder.Feed(stream.first(size), [&](std::span<const uint8_t> record) {
      records.emplace_back(record.begin(), record.end());
    });
    stream = stream.subspan(size);
  }
  decoder.Finish();
  return records;
}

Error DecodeError(std::string_view hex, RecordIoJoin join = RecordIoJoin::kPlain,
                  uint64_t largest = 1 << 20) {
  try {
    Decode(FromHex(hex), join, SIZE_MAX, largest);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::kInternal, "");
}

TEST(RecordIoEncoder, WritesTheBytesThatReadersKnow) {
  EXPECT_EQ(Encode(AsBytes("1")), FromHex("0a23d7ce 01000000 31000000"));
  EXPECT_EQ(Encode(AsBytes("12")), FromHex("0a23d7ce 02000000 31320000"));
  EXPECT_EQ(Encode(AsBytes("123")), FromHex("0a23d7ce 03000000 31323300"));
  EXPECT_EQ(Encode(AsBytes("1234")), FromHex("0a23d7ce 04000000 31323334"));
  EXPECT_EQ(Encode({}), FromHex("0a23d7ce 00000000"));
}

TEST(RecordIoEncoder, NeverCutsARecordAtAMagicNumber) {
  EXPECT_EQ(Encode(FromHex("41424344 0a23d7ce 4546")),
            FromHex("0a23d7ce 0a000000 41424344 0a23d7ce 45460000"));
}

TEST(RecordIoEncoder, GivesTheSameBytesHoweverThePayloadComes) {
  for (size_t size = 0; size < 20; ++size) {
    Buffer payload(size);
    for (size_t i = 0; i < size; ++i) payload[i] = static_cast<uint8_t>(Mix64(i));
    const Buffer whole = Encode(payload);
    EXPECT_EQ(whole.size(), RecordIoFramedSize(size));
    for (const size_t step : {1, 2, 3, 7}) EXPECT_EQ(Encode(payload, step), whole);
  }
}

// Heads and sizes alone: the payload is one buffer again and again.
TEST(RecordIoEncoder, CutsWhatIsTooLargeForOnePart) {
  const uint64_t size = 2 * kRecordIoLargestPart + 5;
  RecordIoEncoder encoder(size);
  std::vector<RecordIoHead> heads;
  uint64_t emitted = 0;
  size_t last = 0;
  const Buffer piece(uint64_t{100} << 20);
  for (uint64_t left = size; left > 0;) {
    const uint64_t now = std::min<uint64_t>(left, piece.size());
    encoder.Write(std::span(piece).first(now), [&](std::span<const uint8_t> bytes) {
      if (bytes.size() == kRecordIoHeadSize && bytes[0] == 0x0a) {
        heads.push_back(DecodeRecordIoHead(bytes.first<kRecordIoHeadSize>(), emitted));
      }
      emitted += bytes.size();
      last = bytes.size();
    });
    left -= now;
  }
  ASSERT_EQ(heads.size(), 3u);
  EXPECT_EQ(heads[0].flag, RecordIoFlag::kFirst);
  EXPECT_EQ(heads[0].length, kRecordIoLargestPart);
  EXPECT_EQ(heads[1].flag, RecordIoFlag::kMiddle);
  EXPECT_EQ(heads[2].flag, RecordIoFlag::kLast);
  EXPECT_EQ(heads[2].length, 5u);
  EXPECT_EQ(last, 3u);  // padding
  EXPECT_EQ(emitted, RecordIoFramedSize(size));
}

TEST(RecordIoDecoder, TakesAnyPaddingAndMagicNumbersInData) {
  const Buffer stream =
      FromHex("0a23d7ce 0a000000 41424344 0a23d7ce 4546ffee 0a23d7ce 00000000 0a23d7ce 01000000 31ffffff");
  for (const size_t step : {1, 3, 8, 1000}) {
    EXPECT_THAT(Decode(stream, RecordIoJoin::kPlain, step),
                ElementsAre(std::string("ABCD\x0a\x23\xd7\xce") + "EF", "", "1"));
  }
  EXPECT_THAT(Decode({}), IsEmpty());
}

TEST(RecordIoDecoder, PutsPartsTogetherWithOrWithoutMagicNumbers) {
  const Buffer cut = FromHex("0a23d7ce 04000020 41424344 0a23d7ce 02000060 45460000");
  for (const size_t step : {1, 5, 1000}) {
    EXPECT_THAT(Decode(cut, RecordIoJoin::kPlain, step), ElementsAre("ABCDEF"));
    EXPECT_THAT(Decode(cut, RecordIoJoin::kWithMagic, step),
                ElementsAre(std::string("ABCD\x0a\x23\xd7\xce") + "EF"));
  }
  EXPECT_THAT(Decode(FromHex("0a23d7ce 00000020 0a23d7ce 01000040 61ffffff 0a23d7ce 00000060")),
              ElementsAre("a"));
}

TEST(RecordIoDecoder, ReadsWhatTheEncoderWrites) {
  Buffer stream;
  std::vector<std::string> records;
  for (uint64_t i = 0; i < 50; ++i) {
    std::string record(Mix64(i) % 40, '\0');
    for (size_t c = 0; c < record.size(); ++c) record[c] = "\x0a\x23\xd7\xce"[Mix64(i * 64 + c) % 4];
    const Buffer framed = Encode(AsBytes(record));
    stream.insert(stream.end(), framed.begin(), framed.end());
    records.push_back(record);
  }
  for (const size_t step : {1, 2, 13, 100'000})
    EXPECT_EQ(Decode(stream, RecordIoJoin::kPlain, step), records);
}

TEST(RecordIoDecoder, NamesTheOffsetOfWhatIsWrong) {
  const Error magic = DecodeError("0a23d7ce 01000000 31000000 0b23d7ce 01000000 31000000");
  EXPECT_EQ(magic.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(magic.message(),
              HasSubstr("at byte 12: a record should begin with 0xced7230a, and here is 0xced7230b"));
  EXPECT_THAT(DecodeError("0a23d7ce 00000080").message(), HasSubstr("at byte 0: there is no flag 4"));
  EXPECT_THAT(DecodeError("0a23d7ce 00000040").message(), HasSubstr("has not begun"));
  EXPECT_THAT(DecodeError("0a23d7ce 00000060").message(), HasSubstr("has not begun"));
  for (const char* flag : {"00", "20"}) {
    const Error error = DecodeError("0a23d7ce 00000020 0a23d7ce 000000" + std::string(flag));
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    EXPECT_THAT(error.message(), HasSubstr("at byte 8: a record begins before"));
  }
}

TEST(RecordIoDecoder, AStreamThatEndsInARecordIsAnError) {
  const char* whole = "0a23d7ce01000020310000000a23d7ce0100006032000000";
  EXPECT_THAT(Decode(FromHex(whole)), ElementsAre("12"));
  for (size_t bytes = 1; bytes < 24; ++bytes) {
    const Error error = DecodeError(std::string_view(whole).substr(0, bytes * 2));
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    EXPECT_THAT(error.message(), HasSubstr("at byte " + std::to_string(bytes) + ": the stream ends"));
  }
}

TEST(RecordIoDecoder, RecordsHaveALimit) {
  EXPECT_THAT(Decode(FromHex("0a23d7ce 04000000 31323334"), RecordIoJoin::kPlain, SIZE_MAX, 4),
              ElementsAre("1234"));
  const Error whole = DecodeError("0a23d7ce 05000000", RecordIoJoin::kPlain, 4);
  EXPECT_EQ(whole.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(whole.message(), HasSubstr("at byte 0: a record of 5 bytes"));
  const char* parts = "0a23d7ce 03000020 31323300 0a23d7ce 02000060 45460000";
  EXPECT_THAT(DecodeError(parts, RecordIoJoin::kPlain, 4).message(),
              HasSubstr("at byte 12: a record of 5 bytes"));
  EXPECT_EQ(DecodeError(parts, RecordIoJoin::kWithMagic, 8).code(), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace bucketline
