#include "bucketline/records/part_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PartChoice, IsAListOfMembersAndMayBeNamed) {
  const PartChoice named = PartChoice::Parse("image=jpg;png");
  EXPECT_EQ(named.name, "image");
  EXPECT_THAT(named.members, ElementsAre("jpg", "png"));
  const PartChoice plain = PartChoice::Parse("seg.png");
  EXPECT_EQ(plain.name, "seg.png");
  EXPECT_THAT(plain.members, ElementsAre("seg.png"));
}

TEST(PartChoice, EmptyNamesAreRefused) {
  for (const char* text : {"", "=jpg", "image=", "jpg;", ";png", "a=b;;c"}) {
    EXPECT_THAT(MessageOf(ErrorCode::kInvalidArgument, [&] { PartChoice::Parse(text); }),
                HasSubstr("names no part"))
        << text;
  }
}

TEST(PartChoice, TheFirstMemberThatIsThereWins) {
  const RecordPart shard{.object_key = "s.tar", .length = 900, .object_size = 900, .etag = "\"e\""};
  const ShardSample sample{
      .key = "1",
      .offset = 0,
      .members = {{.name = "png", .offset = 10, .length = 5}, {.name = "jpg", .offset = 20, .length = 6}}};
  const auto record =
      RecordOfSample(shard, sample, {PartChoice::Parse("jpg;png"), PartChoice::Parse("gif;png")});
  ASSERT_TRUE(std::holds_alternative<Record>(record));
  const Record& made = std::get<Record>(record);
  EXPECT_EQ(made.key, "s.tar/1");
  ASSERT_EQ(made.parts.size(), 2u);
  EXPECT_EQ(made.parts[0].offset, 20u);
  EXPECT_EQ(made.parts[0].length, 6u);
  EXPECT_EQ(made.parts[0].object_size, 900u);
  EXPECT_EQ(made.parts[0].etag, "\"e\"");
  EXPECT_EQ(made.parts[1].offset, 10u);
}

TEST(PartChoice, NumbersAreNoPart) {
  ShardMember label{.name = "label"};
  label.no_part = "is a list of 1 integers";
  const auto record =
      RecordOfSample({.object_key = "s", .etag = ""}, {.key = "1", .offset = 7, .members = {label}},
                     {PartChoice::Parse("label")});
  ASSERT_TRUE(std::holds_alternative<std::string>(record));
  EXPECT_THAT(std::get<std::string>(record),
              HasSubstr("\"label\" of the sample \"1\" at byte 7 is a list of 1 integers"));
}

}  // namespace
}  // namespace bucketline
