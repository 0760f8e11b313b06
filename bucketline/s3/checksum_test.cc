#include "bucketline/s3/checksum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/crc.h"
#include "bucketline/s3/s3_testing.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

HttpHeaders Headers(std::vector<std::pair<std::string, std::string>> items) {
  HttpHeaders headers;
  for (auto& [name, value] : items) headers.Add(std::move(name), std::move(value));
  return headers;
}

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(ChecksumTest, OnlySumsOfTheFullObjectCount) {
  const std::string sum = "rosUhgp5mIg=";
  EXPECT_EQ(
      ChecksumOfObject(Headers({{"x-amz-checksum-crc64nvme", sum}, {"x-amz-checksum-type", "FULL_OBJECT"}})),
      (ObjectChecksum{"crc64nvme", sum}));
  EXPECT_EQ(
      ChecksumOfObject(Headers({{"x-amz-checksum-sha256", "x-2"}, {"x-amz-checksum-type", "COMPOSITE"}})),
      std::nullopt);
  EXPECT_EQ(ChecksumOfObject(Headers({{"x-amz-checksum-crc32", "AAAAAA=="}})), std::nullopt);
  EXPECT_EQ(
      ChecksumOfObject(Headers({{"x-amz-checksum-type", "FULL_OBJECT"}, {"x-amz-checksum-xxhash64", "A"}})),
      std::nullopt);
}

TEST(ChecksumTest, ComparesBytesInPieces) {
  // Of "123456789": CRC-64/NVME, CRC-32C, CRC-32 and SHA-256.
  for (const ObjectChecksum& right :
       {ObjectChecksum{"crc64nvme", "rosUhgp5mIg="}, ObjectChecksum{"crc32c", "4waSgw=="},
        ObjectChecksum{"crc32", "y/Q5Jg=="},
        ObjectChecksum{"sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="}}) {
    SCOPED_TRACE(right.algorithm);
    ChecksumCheck same(right);
    same.Update(BytesOf("1234"));
    same.Update(BytesOf("56789"));
    EXPECT_EQ(same.Difference(), std::nullopt);
    ChecksumCheck other(right);
    other.Update(BytesOf("123456780"));
    EXPECT_THAT(other.Difference().value_or(""), HasSubstr("instead of " + right.base64));
  }
}

TEST(ChecksumTest, ASumIsWrittenAsS3Does) { EXPECT_EQ(Base64Of(0xae8b14860a799888u), "rosUhgp5mIg="); }

TEST(ChecksumTest, UsedWithAwsUnlessSomebodySaysOtherwise) {
  const auto none = testing::Variables({});
  EXPECT_EQ(ResolveChecksumUse(false, none, {}), (ChecksumUse{.verify = true, .send = true}));
  EXPECT_EQ(ResolveChecksumUse(true, none, {}), (ChecksumUse{.verify = false, .send = false}));
  SharedProfile profile;
  profile.name = "p";
  profile.values = {{"response_checksum_validation", "WHEN_SUPPORTED"},
                    {"request_checksum_calculation", "when_required"}};
  EXPECT_EQ(ResolveChecksumUse(true, none, profile), (ChecksumUse{.verify = true, .send = false}));
  EXPECT_EQ(ResolveChecksumUse(false, none, profile), (ChecksumUse{.verify = true, .send = false}));
  const auto both = testing::Variables({{"AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required"},
                                        {"AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported"}});
  EXPECT_EQ(ResolveChecksumUse(false, both, profile), (ChecksumUse{.verify = false, .send = true}));
}

TEST(ChecksumTest, AnotherWordIsRefusedByName) {
  const auto variables = testing::Variables({{"AWS_RESPONSE_CHECKSUM_VALIDATION", "always"}});
  const auto result = Catch([&] { ResolveChecksumUse(true, variables, {}); });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(result.error().message(), HasSubstr("AWS_RESPONSE_CHECKSUM_VALIDATION is 'always'"));
  SharedProfile profile;
  profile.name = "p";
  profile.values = {{"request_checksum_calculation", "never"}};
  const auto of_profile = Catch([&] { ResolveChecksumUse(true, testing::Variables({}), profile); });
  ASSERT_FALSE(of_profile.ok());
  EXPECT_THAT(of_profile.error().message(), HasSubstr("request_checksum_calculation of profile 'p'"));
}

}  // namespace
}  // namespace bucketline
