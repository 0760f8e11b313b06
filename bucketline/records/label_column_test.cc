#include "bucketline/records/label_column.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Names = std::vector<std::string>;

std::string Problem(const std::function<void()>& f) { return MessageOf(ErrorCode::kInvalidArgument, f); }

TEST(LabelColumnOf, NamesAreClassesInByteOrder) {
  const LabelColumn labels = ClassLabels(Names{"b", "a", "B", "b"});
  EXPECT_EQ(labels.kind, LabelKind::kClass);
  EXPECT_THAT(labels.classes, ElementsAre("B", "a", "b"));
  EXPECT_THAT(labels.integers, ElementsAre(2, 1, 0, 2));
}

TEST(LabelColumnOf, GivenClassesFixTheOrder) {
  const LabelColumn labels = ClassLabels(Names{"b", "a"}, Names{"b", "c", "a"});
  EXPECT_THAT(labels.classes, ElementsAre("b", "c", "a"));
  EXPECT_THAT(labels.integers, ElementsAre(0, 2));
  EXPECT_THAT(Problem([] { ClassLabels(Names{"a", "x"}, Names{"a", "b"}); }),
              HasSubstr("the label \"x\" is none of the 2 classes given: a, b"));
  EXPECT_THAT(Problem([] { ClassLabels(Names{"a"}, Names{"a", "a"}); }), HasSubstr("\"a\" is given twice"));
  EXPECT_THAT(Problem([] { ClassLabels(Names{"x"}, Names()); }), HasSubstr("none of the 0 classes"));
}

TEST(LabelColumnOf, Numbers) {
  EXPECT_THAT(IntegerLabels({3, -1}).integers, ElementsAre(3, -1));
  EXPECT_EQ(IntegerLabels({}).kind, LabelKind::kInteger);
  const LabelColumn floats = FloatLabels({0.5f, 2});
  EXPECT_EQ(floats.kind, LabelKind::kFloat);
  EXPECT_THAT(floats.floats, ElementsAre(0.5f, 2));
  const LabelColumn vectors = VectorLabels({1, 2, 3, 4, 5, 6}, 3);
  EXPECT_EQ(vectors.kind, LabelKind::kVector);
  EXPECT_EQ(vectors.width, 3u);
}

TEST(LabelColumnOf, NumbersMustBeFiniteAndWhole) {
  const float infinite = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Problem([&] { FloatLabels({1, infinite}); }), HasSubstr("record 1 is inf"));
  EXPECT_THAT(Problem([&] { VectorLabels({1, 2, 3, std::numeric_limits<float>::quiet_NaN()}, 2); }),
              HasSubstr("record 1 is nan"));
  EXPECT_THAT(Problem([&] { VectorLabels({1, 2, 3}, 2); }), HasSubstr("3 label values"));
  EXPECT_THAT(Problem([&] { VectorLabels({1}, 0); }), HasSubstr("records of 0"));
}

TEST(LabelColumnOf, OneHotOfClassesOnly) {
  const LabelColumn labels = OneHotLabels(ClassLabels(Names{"b", "a", "b"}));
  EXPECT_THAT(labels.floats, ElementsAre(0, 1, 1, 0, 0, 1));
  EXPECT_THAT(labels.classes, ElementsAre("a", "b"));
  EXPECT_THAT(Problem([] { OneHotLabels(FloatLabels({1})); }), HasSubstr("these are floats"));
  EXPECT_THAT(OneHotLabels(ClassLabels(Names{})).floats, IsEmpty());
}

TEST(LabelColumnOf, PickTakesTheLabelsOfSomeRecords) {
  const LabelColumn classes = PickLabels(ClassLabels(Names{"b", "a", "c"}), {0, 2});
  EXPECT_THAT(classes.integers, ElementsAre(1, 2));
  EXPECT_THAT(classes.classes, ElementsAre("a", "b", "c"));
  const LabelColumn vectors = PickLabels(VectorLabels({1, 2, 3, 4, 5, 6}, 2), {1});
  EXPECT_THAT(vectors.floats, ElementsAre(3, 4));
  EXPECT_EQ(vectors.width, 2u);
  EXPECT_EQ(PickLabels({}, {0, 1}).kind, LabelKind::kNone);
}

}  // namespace
}  // namespace bucketline
