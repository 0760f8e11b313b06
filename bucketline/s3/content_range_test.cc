#include "bucketline/s3/content_range.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(ContentRangeTest, ReadsAllThreeNumbers) {
  const auto range = ParseContentRange("bytes 5-9/100");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 5u);
  EXPECT_EQ(range->last, 9u);
  EXPECT_EQ(range->size, 100u);
  EXPECT_TRUE(ParseContentRange("bytes 0-0/1"));
}

TEST(ContentRangeTest, RefusesEverythingElse) {
  for (const char* text :
       {"", "bytes", "bytes 5-9/*", "bytes */100", "bytes 9-5/100", "bytes 0-100/100", "bytes 0-9/100 ",
        "bytes 0-9", "items 0-9/100", "bytes 0-99999999999999999999/100", "bytes -5/100"}) {
    EXPECT_FALSE(ParseContentRange(text)) << text;
  }
}

}  // namespace
}  // namespace bucketline
