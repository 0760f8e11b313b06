#include "bucketline/image/png_chunks.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/image/byte_reading.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

std::vector<uint8_t> Chunk(const std::string& type, const std::string& content) {
  std::vector<uint8_t> bytes = {0, 0, 0, static_cast<uint8_t>(content.size())};
  bytes.insert(bytes.end(), type.begin(), type.end());
  bytes.insert(bytes.end(), content.begin(), content.end());
  bytes.insert(bytes.end(), 4, 0xcc);  // a checksum that nobody looks at here
  return bytes;
}

std::vector<uint8_t> Stream(const std::vector<std::vector<uint8_t>>& chunks) {
  std::vector<uint8_t> bytes(8, 0x89);
  for (const auto& chunk : chunks) bytes.insert(bytes.end(), chunk.begin(), chunk.end());
  return bytes;
}

std::vector<uint8_t> ReadAll(const std::vector<uint8_t>& bytes) {
  PngChunks chunks(bytes);
  std::vector<uint8_t> out;
  for (uint8_t byte = 0; chunks.Read(&byte, 1);) out.push_back(byte);
  return out;
}

TEST(PngChunksTest, DropsWhatMakesNoPixels) {
  const auto header = Chunk("IHDR", "0123456789abc"), data = Chunk("IDAT", "xyz"), end = Chunk("IEND", "");
  EXPECT_EQ(ReadAll(Stream({header, Chunk("tEXt", "hello"), data, Chunk("tIME", ""), end})),
            Stream({header, data, end}));
}

TEST(PngChunksTest, ACutChunkIsGivenAsFarAsItIs) {
  auto bytes = Stream({Chunk("IHDR", "0123456789abc"), Chunk("IDAT", "xyz")});
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    const auto out = ReadAll(cut);
    EXPECT_LE(out.size(), size);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), bytes.begin())) << size;
  }
}

TEST(PngChunksTest, ACutChunkCanBeMended) {
  const auto whole = Stream({Chunk("IHDR", "0123456789abc"), Chunk("IDAT", "abcdefgh")});
  for (size_t left = 0; left < 8; ++left) {
    const std::vector<uint8_t> cut(whole.begin(), whole.end() - 12 + static_cast<long>(left));
    PngChunks chunks(cut);
    chunks.MendCut();
    std::vector<uint8_t> out;
    for (uint8_t byte = 0; chunks.Read(&byte, 1);) out.push_back(byte);
    auto expected =
        Stream({Chunk("IHDR", "0123456789abc"), Chunk("IDAT", std::string("abcdefgh").substr(0, left))});
    expected.resize(expected.size() - 4);
    EXPECT_EQ(out, expected);
  }
}

TEST(PngChunksTest, FindsAChunkByItsType) {
  const auto bytes = Stream({Chunk("IHDR", "0123456789abc"), Chunk("IDAT", "xyz"), Chunk("eXIf", "II*")});
  EXPECT_EQ(AsText(FindPngChunk(bytes, "eXIf")), "II*");
  EXPECT_EQ(AsText(FindPngChunk(bytes, "IHDR")), "0123456789abc");
  EXPECT_TRUE(FindPngChunk(bytes, "gAMA").empty());
  EXPECT_TRUE(FindPngChunk({}, "eXIf").empty());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(FindPngChunk(std::span(bytes).first(size), "eXIf").empty()) << size;
  }
}

TEST(PngChunksTest, GivesBackAnythingThatIsNotAChunk) {
  const std::vector<uint8_t> bytes = {1, 2,   3,   4,   5,   6,  7, 8, 0, 0, 0,
                                      1, 'A', 'b', 'c', 'd', 42, 1, 1, 1, 1, 9};
  PngChunks chunks(bytes);
  std::vector<uint8_t> out(21);
  ASSERT_TRUE(chunks.Read(out.data(), 10));
  ASSERT_TRUE(chunks.Read(out.data() + 10, 11));
  EXPECT_TRUE(std::equal(out.begin(), out.end(), bytes.begin()));
  EXPECT_FALSE(chunks.Read(out.data(), 1));
  PngChunks empty;
  EXPECT_FALSE(empty.Read(out.data(), 1));
}

}  // namespace
}  // namespace bucketline
