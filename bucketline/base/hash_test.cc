#include "bucketline/base/hash.h"

#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

std::span<const uint8_t> Span(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// FIPS 180-2, appendix B.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(Hex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Hex(Sha256(std::string(1000000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// RFC 4231, test cases 1, 2, 3 and 6 (a key longer than a block).
TEST(HmacSha256, PublishedVectors) {
  EXPECT_EQ(Hex(HmacSha256(std::vector<uint8_t>(20, 0x0b), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256(Span("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(std::vector<uint8_t>(20, 0xaa), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(Hex(HmacSha256(std::vector<uint8_t>(131, 0xaa),
                           "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, TakesAnEmptyKeyAndEmptyData) {
  EXPECT_EQ(Hex(HmacSha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// RFC 1321, appendix A.5.
TEST(Md5, PublishedVectors) {
  EXPECT_EQ(Hex(Md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Hex(Md5("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(Hex(Md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890")),
            "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(Hex, WritesTwoLowerCaseDigitsAByte) {
  EXPECT_EQ(Hex({}), "");
  EXPECT_EQ(Hex(std::vector<uint8_t>{0x00, 0x0f, 0xa0, 0xff}), "000fa0ff");
}

// RFC 4648, section 10.
TEST(Base64, PublishedVectors) {
  EXPECT_EQ(Base64({}), "");
  EXPECT_EQ(Base64(Span("f")), "Zg==");
  EXPECT_EQ(Base64(Span("fo")), "Zm8=");
  EXPECT_EQ(Base64(Span("foo")), "Zm9v");
  EXPECT_EQ(Base64(Span("foob")), "Zm9vYg==");
  EXPECT_EQ(Base64(Span("fooba")), "Zm9vYmE=");
  EXPECT_EQ(Base64(Span("foobar")), "Zm9vYmFy");
  EXPECT_EQ(Base64(std::vector<uint8_t>{0xfb, 0xff, 0xfe}), "+//+");
}

TEST(Base64, BreaksNoLines) { EXPECT_EQ(Base64(std::vector<uint8_t>(300, 0)), std::string(400, 'A')); }

// Splits and fingerprints that users saved rest on these values: they must never change. The lengths cover
// each of XXH3's code paths.
TEST(StableHash64, IsXxh3ForEver) {
  EXPECT_EQ(StableHash64(""), 0x2d06800538d394c2u);
  EXPECT_EQ(StableHash64("", 0x9e3779b185ebca8d), 0xa8a6b918b2f0364au);
  EXPECT_EQ(StableHash64("a"), 0xe6c632b61e964e1fu);
  EXPECT_EQ(StableHash64("abc"), 0x78af5f94892f3950u);
  EXPECT_EQ(StableHash64("abc", 1), 0x6b4467b443c76228u);
  EXPECT_EQ(StableHash64("train/n01440764/n01440764_10026.JPEG"), 0x82060eb90c707dcdu);
  std::string kilobyte;
  for (int i = 0; i < 1024; ++i) kilobyte += static_cast<char>(i & 255);
  EXPECT_EQ(StableHash64(kilobyte), 0xa870f92984398d22u);
}

}  // namespace
}  // namespace bucketline
