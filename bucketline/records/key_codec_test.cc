#include "bucketline/records/key_codec.h"

#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using records_testing::Mutate;
using ::testing::HasSubstr;

std::string Encode(std::string_view key, std::string_view previous) {
  std::string bytes;
  AppendKey(&bytes, key, previous);
  return bytes;
}

std::string Decode(std::string_view bytes, std::string previous) {
  ByteReader reader(bytes);
  ReadKey(&reader, &previous);
  EXPECT_TRUE(reader.done());
  return previous;
}

std::string RandomKey(std::mt19937_64& random) {
  static constexpr std::string_view kAlphabets[] = {"0123456789abcdef", "0123456789ABCDEF", "ab/", "xyz.-_",
                                                    "0123456789"};
  std::string key;
  for (uint64_t runs = random() % 5; runs > 0; --runs) {
    const std::string_view alphabet = kAlphabets[random() % std::size(kAlphabets)];
    for (uint64_t i = random() % 12; i > 0; --i) key += alphabet[random() % alphabet.size()];
    if (random() % 20 == 0) key += static_cast<char>(random());
  }
  return key;
}

TEST(KeyCodec, RoundTripsRandomKeysAfterEachOther) {
  std::mt19937_64 random(1);
  std::string previous;
  for (int i = 0; i < 20000; ++i) {
    std::string key = RandomKey(random);
    if (random() % 3 == 0) key = previous.substr(0, random() % (previous.size() + 1)) + key;
    if (random() % 3 == 0) key += previous.substr(previous.size() - random() % (previous.size() + 1));
    ASSERT_EQ(Decode(Encode(key, previous), previous), key) << "after " << previous;
    previous = key;
  }
}

TEST(KeyCodec, SharedEndsCostOneByteEach) {
  const std::string previous = "train/cat/img-xyz-0001.original.jpeg";
  EXPECT_EQ(Encode("train/cat/img-xyw-0001.original.jpeg", previous).size(),
            4u);  // two lengths, a run of "w"
  EXPECT_EQ(Encode(previous, previous).size(), 3u);
}

TEST(KeyCodec, RepeatsDoNotOverlap) {
  for (const auto& [key, previous] : std::vector<std::pair<std::string, std::string>>{
           {"aa", "aaa"}, {"aaa", "aa"}, {"abab", "ab"}, {"ab", "abab"}, {"", "a"}, {"a", ""}, {"", ""}}) {
    EXPECT_EQ(Decode(Encode(key, previous), previous), key) << "after " << previous;
  }
}

TEST(KeyCodec, HexadecimalRunsTakeHalf) {
  EXPECT_EQ(Encode("0123456789abcdef", "").size(), 2u + 2 + 8);
  EXPECT_EQ(Encode("0123456789ABCDEF", "").size(), 2u + 2 + 8);
  EXPECT_EQ(Encode("0123456789ABCDE", "").size(), 2u + 1 + 8);  // an odd one rounds up
  EXPECT_EQ(Encode("x-abcdef123456.jpg", "").size(), 2u + 1 + 2 + 1 + 6 + 1 + 4);
  EXPECT_EQ(Encode("abcde", "").size(), 2u + 1 + 5);  // too short to gain
}

TEST(KeyCodec, RefusesWhatNoWriterMakes) {
  const auto message = [](std::string bytes, std::string previous) {
    return MessageOf(ErrorCode::kCorruptData, [&] {
      ByteReader reader(bytes);
      ReadKey(&reader, &previous);
    });
  };
  EXPECT_THAT(message(std::string("\x04\x00\x00", 3), "abc"), HasSubstr("shares more"));
  EXPECT_THAT(message(std::string("\x02\x02\x00", 3), "abc"), HasSubstr("shares more"));
  EXPECT_THAT(message(std::string("\x00\x00\x06", 3), "abc"), HasSubstr("unknown kind"));
  EXPECT_THAT(message(std::string("\x00\x00\x08", 3), "abc"), HasSubstr("needed"));
  EXPECT_THAT(message(std::string("\x00\x00\x01", 3), "abc"), HasSubstr("needed"));
  EXPECT_THAT(message("", "abc"), HasSubstr("needed"));
  const std::string huge_hex = std::string("\x00\x00", 2) + "\xfa\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  EXPECT_THAT(message(huge_hex, "abc"), HasSubstr("needed"));
}

TEST(KeyCodec, HostileBytesGiveAKeyOrAnError) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string previous = RandomKey(random);
    const std::string bytes = Mutate(Encode(RandomKey(random), previous), random);
    const size_t most = previous.size() + 2 * bytes.size();
    ByteReader reader(bytes);
    try {
      ReadKey(&reader, &previous);
      ASSERT_LE(previous.size(), most);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kCorruptData);
    }
  }
}

}  // namespace
}  // namespace bucketline
