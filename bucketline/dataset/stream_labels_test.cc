#include "bucketline/dataset/stream_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

TEST(StreamLabels, AreWhatTheFirstOneIs) {
  StreamLabels integers({}, false);
  EXPECT_EQ(integers.kind(), LabelKind::kNone);
  EXPECT_EQ(integers.Parse("3").integer, 3);
  EXPECT_EQ(integers.Parse("-1").integer, -1);
  EXPECT_EQ(integers.kind(), LabelKind::kInteger);

  StreamLabels floats({}, false);
  EXPECT_THAT(floats.Parse("0.5").floats, ElementsAre(0.5f));
  EXPECT_THAT(floats.Parse("2").floats, ElementsAre(2.0f));
  EXPECT_EQ(floats.kind(), LabelKind::kFloat);

  StreamLabels lists({}, false);
  EXPECT_THAT(lists.Parse("[1, 2.5]").floats, ElementsAre(1.0f, 2.5f));
  EXPECT_EQ(lists.kind(), LabelKind::kVector);
  EXPECT_EQ(lists.width(), 2u);
}

TEST(StreamLabels, OfNamesAreTheirPlaces) {
  StreamLabels names({"cat", "dog", "7"}, false);
  EXPECT_EQ(names.kind(), LabelKind::kClass);
  EXPECT_EQ(names.Parse("dog").integer, 1);
  EXPECT_EQ(names.Parse("7").integer, 2);
  const Error error = ErrorOf([&] { names.Parse("cow"); });
  EXPECT_THAT(error.what(), HasSubstr("\"cow\" is none of the classes cat, dog, 7"));
}

TEST(StreamLabels, CanBeOneHot) {
  StreamLabels names({"cat", "dog"}, true);
  EXPECT_EQ(names.kind(), LabelKind::kVector);
  EXPECT_EQ(names.width(), 2u);
  EXPECT_THAT(names.Parse("dog").floats, ElementsAre(0.0f, 1.0f));
}

TEST(StreamLabels, OfAnotherKindAreAnError) {
  StreamLabels integers({}, false);
  integers.Parse("1");
  EXPECT_THAT(ErrorOf([&] { integers.Parse("1.5"); }).what(), HasSubstr("which are integers"));
  StreamLabels lists({}, false);
  lists.Parse("[1, 2]");
  EXPECT_THAT(ErrorOf([&] { lists.Parse("[1, 2, 3]"); }).what(), HasSubstr("lists of floats of 2 numbers"));
}

TEST(StreamLabels, ThatAreNoLabelsAreAnError) {
  StreamLabels labels({}, false);
  for (const char* text :
       {"cat", "", "{\"a\": 1}", "\"1\"", "true", "[]", "1e999", "18446744073709551616e999"})
    EXPECT_THAT(ErrorOf([&] { labels.Parse(text); }).what(), HasSubstr("is no number")) << text;
  for (const char* text : {"[1, \"a\"]", "[1, 1e300]"})
    EXPECT_THAT(ErrorOf([&] { labels.Parse(text); }).what(), HasSubstr("not all are finite")) << text;
}

TEST(StreamLabels, NeedClassesThatGoTogether) {
  EXPECT_THAT(ErrorOf([] { StreamLabels({"a", "a"}, false); }).what(), HasSubstr("named twice"));
  EXPECT_THAT(ErrorOf([] { StreamLabels({}, true); }).what(), HasSubstr("need the names of the classes"));
}

}  // namespace
}  // namespace bucketline
