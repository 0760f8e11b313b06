#include "bucketline/channel/augmented_manifest.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

std::vector<std::string> Texts(const AugmentedManifest& manifest) {
  std::vector<std::string> texts;
  for (const auto attribute : manifest.attributes) {
    const TextPool& pool = attribute.is_reference != 0 ? manifest.references : manifest.values;
    texts.push_back((attribute.is_reference != 0 ? "->" : "") + std::string(pool[attribute.number]));
  }
  return texts;
}

std::vector<std::string> Parse(std::string_view text, const std::vector<std::string>& names) {
  return Texts(ParseAugmentedManifest(text, names));
}

TEST(AugmentedManifest, GivesAttributesInTheOrderOfTheirNames) {
  constexpr const char* kText =
      "{\"source-ref\": \"s3://b/1.jpg\", \"label\": 1, \"other\": 5}\n"
      "{\"label\": \"0\", \"source-ref\": \"s3://b/2.jpg\"}";
  EXPECT_THAT(Parse(kText, {"source-ref", "label"}),
              ElementsAre("->s3://b/1.jpg", "1", "->s3://b/2.jpg", "0"));
  EXPECT_THAT(Parse(kText, {"label", "source-ref"}),
              ElementsAre("1", "->s3://b/1.jpg", "0", "->s3://b/2.jpg"));
}

TEST(AugmentedManifest, WritesValuesAsJsonDoesAndTextAsItIs) {
  EXPECT_THAT(Parse(R"({"a": "x \"y\"\n", "b": -1.5, "c": true, "d": {"z": [1, "q"], "a": null}, "e": ""})",
                    {"a", "b", "c", "d", "e"}),
              ElementsAre("x \"y\"\n", "-1.5", "true", R"({"z":[1,"q"],"a":null})", ""));
}

TEST(AugmentedManifest, CountsTheLinesOfReferences) {
  const AugmentedManifest manifest =
      ParseAugmentedManifest("\n{\"a-ref\": \"s3://b/1\"}\r\n  \n{\"a-ref\": \"s3://b/2\"}\n", {"a-ref"});
  EXPECT_THAT(manifest.reference_lines, ElementsAre(2, 4));
  EXPECT_THAT(Texts(manifest), ElementsAre("->s3://b/1", "->s3://b/2"));
}

struct Wrong {
  std::string text;
  const char* problem;
};

class WrongAugmentedManifest : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongAugmentedManifest, IsAnErrorThatNamesTheLine) {
  const Error error = ErrorOf([] { ParseAugmentedManifest(GetParam().text, {"a-ref", "b"}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr(GetParam().problem));
}

constexpr const char* kGood = "{\"a-ref\": \"s3://b/1\", \"b\": 1}\n";

INSTANTIATE_TEST_SUITE_P(
    Texts, WrongAugmentedManifest,
    ::testing::Values(Wrong{"", "the manifest is empty"}, Wrong{"\n \r\n", "the manifest is empty"},
                      Wrong{std::string(kGood) + "{\"a-ref\"", "line 2: this is not JSON"},
                      Wrong{std::string(kGood) + "\n[]", "line 3: this is JSON, but array"},
                      Wrong{std::string(kGood) + "{\"b\": 1, \"A-ref\": \"\"}",
                            "line 2: there is no field \"a-ref\"; those of the line are: b, A-ref"},
                      Wrong{"{}", "those of the line are: none"},
                      Wrong{R"({"a-ref": "s3://b/1", "b": null})", "line 1: the field \"b\" is null"},
                      Wrong{R"({"a-ref": 7, "b": 1})",
                            "line 1: the field \"a-ref\" must be the URI of an object, and is number"},
                      Wrong{"{\"b\":" + std::string(200, '[') + std::string(200, ']') + "}",
                            "more than 100 deep"}));

}  // namespace
}  // namespace bucketline
