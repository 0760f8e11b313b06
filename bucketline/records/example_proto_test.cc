#include "bucketline/records/example_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/example_testing.h"
#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::BytesFeature;
using records_testing::Example;
using records_testing::FloatFeature;
using records_testing::IntegerFeature;
using records_testing::MessageOf;
using records_testing::Sized;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using ByteLists = std::vector<std::string_view>;
using Integers = std::vector<int64_t>;
using Floats = std::vector<float>;

TEST(ExampleProto, ReadsEveryKindOfList) {
  const std::string message = Example({{"image", BytesFeature({"JPEG"})},
                                       {"label", IntegerFeature({7, -1})},
                                       {"box", FloatFeature({0.5f, -2})},
                                       {"none", ""}});
  const std::vector<ExampleFeature> features = ReadExample(message);
  ASSERT_EQ(features.size(), 4u);
  EXPECT_EQ(features[0].name, "image");
  EXPECT_THAT(std::get<ByteLists>(features[0].values), ElementsAre("JPEG"));
  EXPECT_THAT(std::get<Integers>(features[1].values), ElementsAre(7, -1));
  EXPECT_THAT(std::get<Floats>(features[2].values), ElementsAre(0.5f, -2.0f));
  EXPECT_THAT(std::get<ByteLists>(features[3].values), IsEmpty());
}

TEST(ExampleProto, ViewsAreOfTheMessage) {
  const std::string message = Example({{"image", BytesFeature({"JPEG"})}});
  const auto features = ReadExample(message);
  const std::string_view value = std::get<ByteLists>(features[0].values)[0];
  EXPECT_EQ(value.data(), message.data() + message.find("JPEG"));
}

TEST(ExampleProto, NumbersMayStandOneByOne) {
  const std::string integers = Sized(3, std::string("\x08\x05\x08\x06", 4));
  const std::string floats = Sized(2, std::string("\x0d\0\0\x80\x3f", 5));
  const auto features = ReadExample(Example({{"i", integers}, {"f", floats}}));
  EXPECT_THAT(std::get<Integers>(features[0].values), ElementsAre(5, 6));
  EXPECT_THAT(std::get<Floats>(features[1].values), ElementsAre(1.0f));
}

TEST(ExampleProto, TheLastOfAFeatureCounts) {
  const std::string named_twice = Example({{"a", BytesFeature({"x"})}, {"a", BytesFeature({"y"})}});
  const auto twice = ReadExample(named_twice);
  ASSERT_EQ(twice.size(), 1u);
  EXPECT_THAT(std::get<ByteLists>(twice[0].values), ElementsAre("y"));
  const std::string of_two_kinds = Example({{"a", BytesFeature({"x"}) + IntegerFeature({3})}});
  const auto other = ReadExample(of_two_kinds);
  EXPECT_THAT(std::get<Integers>(other[0].values), ElementsAre(3));
}

TEST(ExampleProto, PassesOverUnknownFields) {
  const std::string unknown =
      std::string("\x38\x05", 2) + std::string("\x39\0\0\0\0\0\0\0\0", 9) + Sized(9, "zzz");
  EXPECT_EQ(ReadExample(unknown + Example({{"a", BytesFeature({"x"})}})).size(), 1u);
  EXPECT_THAT(ReadExample(""), IsEmpty());
}

TEST(ExampleProto, WhatDoesNotParseIsCorrupt) {
  const std::string good = Example({{"a", BytesFeature({"some bytes"})}});
  for (size_t size = 1; size < good.size(); ++size) {
    MessageOf(ErrorCode::kCorruptData, [&] { ReadExample(std::string_view(good).substr(0, size)); });
  }
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [] { ReadExample("\x0b"); }), HasSubstr("wire type 3"));
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [] { ReadExample(std::string_view("\0", 1)); }),
              HasSubstr("number 0"));
}

}  // namespace
}  // namespace bucketline
