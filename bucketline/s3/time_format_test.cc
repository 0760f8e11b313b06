#include "bucketline/s3/time_format.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

constexpr WallTime At(int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

TEST(TimeFormatTest, AmzDateIsUtcToTheSecond) {
  EXPECT_EQ(FormatAmzDate(At(1369353600)), "20130524T000000Z");
  EXPECT_EQ(FormatAmzDate(At(1369353600 + 86399) + std::chrono::milliseconds(999)), "20130524T235959Z");
  EXPECT_EQ(FormatAmzDate(At(951782400)), "20000229T000000Z");
}

TEST(TimeFormatTest, ReadsHttpDates) {
  EXPECT_EQ(ParseHttpDate("Fri, 24 May 2013 00:00:00 GMT"), At(1369353600));
  EXPECT_EQ(ParseHttpDate("Tue, 31 Dec 2024 23:59:58 GMT"), At(1735689598));
}

TEST(TimeFormatTest, RefusesWhatIsNoHttpDate) {
  for (const char* text :
       {"", "yesterday", "Fri, 24 Mai 2013 00:00:00 GMT", "Fri, 31 Feb 2013 00:00:00 GMT",
        "Fri, 24 May 2013 25:00:00 GMT", "Fri, 24 May 9999 00:00:00 GMT", "2013-05-24T00:00:00Z"}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

TEST(TimeFormatTest, ReadsIsoDatesWithAndWithoutFractions) {
  EXPECT_EQ(ParseIsoDate("2013-05-24T00:00:00Z"), At(1369353600));
  EXPECT_EQ(ParseIsoDate("2013-05-24T00:00:00.125Z"), At(1369353600) + std::chrono::milliseconds(125));
  EXPECT_EQ(ParseIsoDate("2013-05-24T00:00:00.123456789Z"),
            At(1369353600) + std::chrono::nanoseconds(123456789));
}

TEST(TimeFormatTest, RefusesWhatIsNoIsoDate) {
  for (const char* text :
       {"", "2013-05-24", "2013-13-24T00:00:00Z", "2013-02-30T00:00:00Z", "2013-05-24T24:00:00Z"}) {
    EXPECT_EQ(ParseIsoDate(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace bucketline
