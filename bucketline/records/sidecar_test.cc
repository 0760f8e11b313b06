#include "bucketline/records/sidecar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Where(const std::string& name, const std::string& key = "train/cat/1.tar.gz") {
  return SidecarName(name).UriFor(key, "s3://b/" + key);
}

std::string Problem(const std::function<void()>& f) { return MessageOf(ErrorCode::kInvalidArgument, f); }

TEST(SidecarName, StandsBesideTheRecord) {
  EXPECT_EQ(Where("{stem}.json"), "s3://b/train/cat/1.tar.json");
  EXPECT_EQ(Where("{name}.json"), "s3://b/train/cat/1.tar.gz.json");
  EXPECT_EQ(Where("labels/{stem}"), "s3://b/train/cat/labels/1.tar");
  EXPECT_EQ(Where("{stem}.json", "1.jpg"), "s3://b/1.json");
  EXPECT_EQ(SidecarName("{stem}.json").UriFor("1.jpg", "1.jpg"), "1.json");
  EXPECT_EQ(SidecarName("{stem}.json").UriFor("data/1.jpg", "/data/1.jpg"), "/data/1.json");
}

TEST(SidecarName, MayGoUpOrElsewhere) {
  EXPECT_EQ(Where("../labels/{stem}.json"), "s3://b/train/labels/1.tar.json");
  EXPECT_EQ(Where("../../{stem}.json"), "s3://b/1.tar.json");
  EXPECT_EQ(Where("s3://other/{folder}/{stem}.json"), "s3://other/train/cat/1.tar.json");
  EXPECT_EQ(Where("/data/{stem}.json"), "/data/1.tar.json");
  EXPECT_THAT(Problem([] { Where("../../../{stem}.json"); }), HasSubstr("leads out of the place"));
  EXPECT_THAT(Problem([] { SidecarName("../../{stem}").UriFor("a/1", "a/1"); }), HasSubstr("leads out"));
}

TEST(SidecarName, MustDiffer) {
  EXPECT_THAT(Problem([] { SidecarName("labels.json"); }), HasSubstr("the same for all records"));
  EXPECT_THAT(Problem([] { SidecarName("{folder}/labels.json"); }), HasSubstr("the same for all records"));
  EXPECT_THAT(Problem([] { SidecarName("{stem}{x}.json"); }), HasSubstr("\"{x}\" in the sidecars' name"));
}

TEST(ReadSidecar, GivesTheField) {
  const SidecarLabel label =
      ReadSidecar("s3://b/1.json", R"({"label": "cat", "n": 3, "box": [1, 2.5]})", "label");
  EXPECT_EQ(std::get<LabelRow>(label).key, "s3://b/1.json");
  EXPECT_EQ(std::get<LabelRow>(label).value, LabelValue("cat"));
  const auto value = [](const std::string& json) {
    return std::get<LabelRow>(ReadSidecar("u", json, "x")).value;
  };
  EXPECT_EQ(value(R"({"x": 3})"), LabelValue(int64_t{3}));
  EXPECT_EQ(value(R"({"x": [1, 2.5]})"), LabelValue(std::vector<double>{1, 2.5}));
  const SidecarLabel none = ReadSidecar("s3://b/1.json", R"({"a": 1, "b": 2})", "label");
  EXPECT_EQ(std::get<NoLabel>(none).why, "s3://b/1.json has no \"label\"; its fields are: a, b");
}

TEST(ReadSidecar, WhatItIsNotIsNamed) {
  const auto read = [](const std::string& json) {
    return [json] { ReadSidecar("s3://b/1.json", json, "x"); };
  };
  EXPECT_THAT(Problem(read("{\n\n\"x\"")), HasSubstr("line 3: this is not JSON"));
  EXPECT_THAT(Problem(read("[1]")), HasSubstr("an object with \"x\" is needed where array stands"));
  EXPECT_THAT(Problem(read(R"({"x": null})")), HasSubstr("its \"x\" is null"));
  try {
    read("")();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.uri(), "s3://b/1.json");
  }
}

}  // namespace
}  // namespace bucketline
