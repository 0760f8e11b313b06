#include "bucketline/base/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;
using testing::HasSubstr;

template <typename F>
void ExpectInvalid(F parse, const char* text) {
  try {
    parse(text);
    ADD_FAILURE() << "accepted \"" << text << "\"";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

TEST(Units, LiteralsAreBinary) { static_assert(3_KiB == 3072 && 2_MiB == 2097152 && 5_GiB == 5368709120); }

TEST(ParseByteSize, KnowsBinaryAndDecimalUnitsInAnyCase) {
  EXPECT_EQ(ParseByteSize("0"), 0u);
  EXPECT_EQ(ParseByteSize("512"), 512u);
  EXPECT_EQ(ParseByteSize("512B"), 512u);
  EXPECT_EQ(ParseByteSize("64KiB"), 64_KiB);
  EXPECT_EQ(ParseByteSize("64kib"), 64_KiB);
  EXPECT_EQ(ParseByteSize("3MiB"), 3_MiB);
  EXPECT_EQ(ParseByteSize("1.5GiB"), 1536_MiB);
  EXPECT_EQ(ParseByteSize("2 TiB "), 2048_GiB);
  EXPECT_EQ(ParseByteSize("7KB"), 7000u);
  EXPECT_EQ(ParseByteSize("200MB"), 200000000u);
  EXPECT_EQ(ParseByteSize("1gb"), 1000000000u);
  EXPECT_EQ(ParseByteSize("0.5TB"), 500000000000u);
}

TEST(ParseByteSize, RoundsFractionsToTheNearestByte) {
  EXPECT_EQ(ParseByteSize("0.1KiB"), 102u);
  EXPECT_EQ(ParseByteSize("8.2KB"), 8200u);
  EXPECT_EQ(ParseByteSize("1.001MB"), 1001000u);
}

TEST(ParseByteSize, RefusesTheRestNamingTheText) {
  for (const char* text : {"", "GiB", "-1", "-1GiB", "+1", "inf", "nan", "0x10", "12 34", "1 G i B",
                           "64Kib/s", " 1", "1,5GiB", "10XB", "1e19", "9000000TiB", "1e400"}) {
    ExpectInvalid(ParseByteSize, text);
  }
}

TEST(FormatByteSize, WritesOneDecimalOfTheLargestUnitThatFits) {
  EXPECT_EQ(FormatByteSize(0), "0 B");
  EXPECT_EQ(FormatByteSize(12), "12 B");
  EXPECT_EQ(FormatByteSize(1023), "1023 B");
  EXPECT_EQ(FormatByteSize(1024), "1.0 KiB");
  EXPECT_EQ(FormatByteSize(112026), "109.4 KiB");
  EXPECT_EQ(FormatByteSize(1536_MiB), "1.5 GiB");
  EXPECT_EQ(FormatByteSize(UINT64_MAX), "16.0 EiB");
}

TEST(FormatByteSize, NeverWrites1024OfAUnit) {
  EXPECT_EQ(FormatByteSize(1_MiB - 52), "1023.9 KiB");
  EXPECT_EQ(FormatByteSize(1_MiB - 1), "1.0 MiB");
  EXPECT_EQ(FormatByteSize(1_GiB - 1), "1.0 GiB");
}

TEST(ParseDuration, KnowsItsUnits) {
  EXPECT_EQ(ParseDuration("5us"), 5us);
  EXPECT_EQ(ParseDuration("250ms"), 250ms);
  EXPECT_EQ(ParseDuration("60s"), 60s);
  EXPECT_EQ(ParseDuration("0s"), 0s);
  EXPECT_EQ(ParseDuration("1.5 S"), 1500ms);
  EXPECT_EQ(ParseDuration("5m"), 5min);
  EXPECT_EQ(ParseDuration("5min"), 5min);
  EXPECT_EQ(ParseDuration("2h"), 2h);
}

TEST(ParseDuration, RoundsToTheNearestNanosecond) {
  EXPECT_EQ(ParseDuration("2.3h"), 2h + 18min);
  EXPECT_EQ(ParseDuration("0.0016us"), 2ns);
}

TEST(ParseDuration, RefusesTheRestNamingTheText) {
  for (const char* text : {"", "60", "s", "-1s", "1 day", "1e12h", "inf", "5 m s"})
    ExpectInvalid(ParseDuration, text);
}

}  // namespace
}  // namespace bucketline
