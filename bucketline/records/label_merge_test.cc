#include "bucketline/records/label_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/label_column.h"
#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::BuildManifest;
using records_testing::MessageOf;
using records_testing::RawRecord;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Names = std::vector<std::string>;

Manifest Labelled(const std::string& source, LabelColumn labels) {
  return BuildManifest({RawRecord("1", 1), RawRecord("2", 1)}, source).WithLabels(std::move(labels));
}

TEST(MergeLabels, ClassesAreMergedByName) {
  const auto merged = MergeLabels({Labelled("s3://a/", ClassLabels(Names{"dog", "cat"}, Names{"dog", "cat"})),
                                   Labelled("s3://b/", ClassLabels(Names{"dog", "bird"}))});
  for (const Manifest& manifest : merged)
    EXPECT_THAT(manifest.labels().classes, ElementsAre("bird", "cat", "dog"));
  EXPECT_THAT(merged[0].labels().integers, ElementsAre(2, 1));
  EXPECT_THAT(merged[1].labels().integers, ElementsAre(2, 0));
}

TEST(MergeLabels, EqualClassesKeepTheirOrder) {
  const Names order = {"dog", "cat"};
  const auto merged = MergeLabels({Labelled("s3://a/", ClassLabels(Names{"dog", "cat"}, order)),
                                   Labelled("s3://b/", ClassLabels(Names{"cat", "cat"}, order))});
  EXPECT_THAT(merged[1].labels().classes, ElementsAre("dog", "cat"));
  EXPECT_THAT(merged[1].labels().integers, ElementsAre(1, 1));
}

TEST(MergeLabels, KindsThatDifferAreNamed) {
  const auto message = [](LabelColumn a, LabelColumn b) {
    return MessageOf(ErrorCode::kInvalidArgument,
                     [&] { MergeLabels({Labelled("s3://a/", a), Labelled("s3://b/", b)}); });
  };
  EXPECT_THAT(message(ClassLabels(Names{"x", "y"}), IntegerLabels({1, 2})),
              AllOf(HasSubstr("s3://a/ are classes"), HasSubstr("s3://b/ are integers")));
  EXPECT_THAT(message({}, FloatLabels({1, 2})), AllOf(HasSubstr("s3://a/ are none"), HasSubstr("floats")));
  EXPECT_THAT(message(VectorLabels({1, 2}, 1), VectorLabels({1, 2, 3, 4}, 2)),
              AllOf(HasSubstr("(1 each)"), HasSubstr("(2 each)")));
  EXPECT_THAT(message(OneHotLabels(ClassLabels(Names{"x", "y"})), OneHotLabels(ClassLabels(Names{"x", "z"}))),
              HasSubstr("of different classes"));
}

}  // namespace
}  // namespace bucketline
