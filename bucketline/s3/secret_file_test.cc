#include "bucketline/s3/secret_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/result.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kLargest = size_t{1} << 20;

class SecretFileTest : public ::testing::Test {
 protected:
  Error Refusal(const std::string& path) {
    const auto read = Catch([&] { return ReadSecretFile(path); });
    return read ? Error(ErrorCode::kInternal, "it was read") : read.error();
  }
  void ExpectRefusal(const std::string& name, const char* why) {
    const Error error = Refusal(folder_.Path(name));
    EXPECT_EQ(error.code(), ErrorCode::kIo) << name;
    EXPECT_THAT(error.message(), AllOf(HasSubstr(folder_.Path(name)), HasSubstr(why))) << name;
  }

  testing::TempFolder folder_;
};

TEST_F(SecretFileTest, BlanksAtItsEndsAreNotOfTheSecret) {
  folder_.Put("token", "\r\n\t very secret \n");
  EXPECT_EQ(ReadSecretFile(folder_.Path("token")), "very secret");
}

TEST_F(SecretFileTest, TheLargestIsRead) {
  folder_.Put("token", std::string(kLargest, 's'));
  EXPECT_EQ(ReadSecretFile(folder_.Path("token")).size(), kLargest);
}

TEST_F(SecretFileTest, WhatCannotBeASecretIsAnErrorThatNamesTheFile) {
  folder_.Put("empty", "");
  folder_.Put("blank", " \n\t\r");
  folder_.Put("large", std::string(kLargest + 1, 's'));
  std::filesystem::create_directory(folder_.Path("folder"));
  ExpectRefusal("empty", "it is empty");
  ExpectRefusal("blank", "it is empty");
  ExpectRefusal("large", "larger than 1 MiB");
  ExpectRefusal("folder", "Is a directory");
  ExpectRefusal("missing", "No such file");
}

}  // namespace
}  // namespace bucketline
