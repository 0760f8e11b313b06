#include "bucketline/channel/manifest_file.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;

TEST(ManifestFile, HasAPrefixAndSuffixesInTheirOrder) {
  const ManifestFile file =
      ParseManifestFile(R"([{"prefix": "s3://b/some/pre"}, "z/1", "", "a\u00e9", "z/1"])");
  EXPECT_EQ(file.prefix, "s3://b/some/pre");
  ASSERT_EQ(file.suffixes.size(), 4u);
  EXPECT_EQ(file.suffixes[0], "z/1");
  EXPECT_EQ(file.suffixes[1], "");
  EXPECT_EQ(file.suffixes[2], "a\xc3\xa9");
  EXPECT_EQ(file.suffixes[3], "z/1");
}

struct Wrong {
  const char* text;
  const char* problem;
};

class WrongManifestFile : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongManifestFile, IsAnErrorThatSaysWhere) {
  const Error error = ErrorOf([] { ParseManifestFile(GetParam().text); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr(GetParam().problem));
  EXPECT_THAT(error.message(), HasSubstr(R"([{"prefix": )"));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, WrongManifestFile,
    ::testing::Values(Wrong{"", "line 1: this is not JSON"},
                      Wrong{"[{\"prefix\": \"s3://b/\"},\n\"a\",\n]", "line 3: this is not JSON"},
                      Wrong{R"([{"prefix": "s3://b/"}])", "names no object"}, Wrong{"[]", "names no object"},
                      Wrong{"{}", "the whole is an object"}, Wrong{"\"s3://b/\"", "the whole is text"},
                      Wrong{"7", "the whole is a number"}, Wrong{"null", "the whole is null"},
                      Wrong{R"(["a", "b"])", "element 0 is text"}, Wrong{R"([[]])", "element 0 is a list"},
                      Wrong{R"([{"prefix": ""}, "a"])", "the prefix in element 0 is empty"},
                      Wrong{R"([{"prefix": 1}, "a"])", "the prefix in element 0 is a number"},
                      Wrong{R"([{"prefix": ["s3://b/"]}, "a"])", "the prefix in element 0 is a list"},
                      Wrong{R"([{"prefix": {}}, "a"])", "the prefix in element 0 is an object"},
                      Wrong{R"([{}, "a"])", "element 0 has no \"prefix\""},
                      Wrong{R"([{"prefix": "s3://b/", "etag": "x"}, "a"])", "has the field \"etag\""},
                      Wrong{R"([{"prefix": "s3://b/"}, "a", true])", "element 2 is true or false"},
                      Wrong{R"([{"prefix": "s3://b/"}, {"prefix": "s3://c/"}])", "element 1 is an object"},
                      Wrong{R"([{"prefix": "s3://b/"}, "a", -1])", "element 2 is a number"},
                      Wrong{R"([{"prefix": "s3://b/"}, 1.5])", "element 1 is a number"}));

}  // namespace
}  // namespace bucketline
