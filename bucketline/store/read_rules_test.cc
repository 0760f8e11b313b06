#include "bucketline/store/read_rules.h"

#include <limits>

#include <gtest/gtest.h>

#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using testing::Range;

const ObjectInfo kTen{"k", 10, "\"e\"", {}};

Result<uint64_t> Length(const GetRequest& request) {
  return Catch([&] { return LengthToRead(request, kTen); });
}

TEST(ReadRules, RangesInsideTheObject) {
  EXPECT_EQ(*Length(Range("k", 0, {})), 10u);
  EXPECT_EQ(*Length(Range("k", 4, {})), 6u);
  EXPECT_EQ(*Length(Range("k", 4, 6)), 6u);
  EXPECT_EQ(*Length(Range("k", 10, {})), 0u);
  EXPECT_EQ(*Length(Range("k", 10, 0)), 0u);
}

TEST(ReadRules, RangesBeyondTheEndAlsoByOverflow) {
  for (const auto& request : {Range("k", 4, 7), Range("k", 11, {}), Range("k", 11, 0),
                              Range("k", 5, std::numeric_limits<uint64_t>::max())}) {
    const auto length = Length(request);
    ASSERT_FALSE(length.ok());
    EXPECT_EQ(length.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(ReadRules, ThePinIsLookedAtBeforeTheRange) {
  GetRequest request = Range("k", 11, 1);
  request.pin.etag = "\"other\"";
  EXPECT_EQ(Length(request).error().code(), ErrorCode::kObjectChanged);
  request.pin = {.etag = "\"e\"", .size = 9};
  EXPECT_EQ(Length(request).error().code(), ErrorCode::kObjectChanged);
}

class ShortSink : public GetSink {
 public:
  Result<std::span<uint8_t>> Begin(uint64_t, const ObjectInfo&) override {
    return std::span<uint8_t>(memory_);
  }

 private:
  uint8_t memory_[3] = {};
};

TEST(ReadRules, MemoryOfAnotherLengthIsABug) {
  ShortSink sink;
  EXPECT_EQ(BeginRead(sink, 3, kTen).size(), 3u);
  for (const uint64_t length : {2u, 4u}) {
    const auto memory = Catch([&] { return BeginRead(sink, length, kTen); });
    ASSERT_FALSE(memory.ok());
    EXPECT_EQ(memory.error().code(), ErrorCode::kInternal);
  }
}

TEST(ReadRules, AVersionMustBeTheObjects) {
  GetRequest request = Range("k", 0, 1);
  request.pin.version = "v1";
  EXPECT_EQ(Length(request).error().code(), ErrorCode::kUnsupported);
  ObjectInfo object = kTen;
  object.version = "v2";
  const auto other = Catch([&] { return LengthToRead(request, object); });
  EXPECT_EQ(other.error().code(), ErrorCode::kObjectChanged);
  object.version = "v1";
  EXPECT_EQ(LengthToRead(request, object), 1u);
}

}  // namespace
}  // namespace bucketline
