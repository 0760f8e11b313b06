#include "bucketline/base/digest.h"

#include <string>

#include <gtest/gtest.h>

#include "bucketline/base/hash.h"

namespace bucketline {
namespace {

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string HexOf(std::string_view algorithm, std::string_view text) {
  const std::unique_ptr<Digest> digest = MakeDigest(algorithm);
  digest->Update(BytesOf(text.substr(0, 3)));
  digest->Update(BytesOf(text.substr(3)));
  return Hex(digest->Finish());
}

TEST(Digest, PublishedCheckValues) {
  EXPECT_EQ(HexOf("crc32", "123456789"), "cbf43926");
  EXPECT_EQ(HexOf("crc32c", "123456789"), "e3069283");
  EXPECT_EQ(HexOf("crc64nvme", "123456789"), "ae8b14860a799888");
  EXPECT_EQ(HexOf("md5", "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(HexOf("sha1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(HexOf("sha256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(MakeDigest("crc16"), nullptr);
}

}  // namespace
}  // namespace bucketline
