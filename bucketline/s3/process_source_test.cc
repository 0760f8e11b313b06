#include "bucketline/s3/process_source.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/credential_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::CredentialBench;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ProcessSourceTest : public ::testing::Test {
 protected:
  // A program that prints `out` and `err` and ends with `code`.
  std::string Script(std::string_view out, std::string_view err = "", int code = 0) {
    const std::string folder = bench_.home.Path("with blank");
    bench_.File("with blank/out", out);
    bench_.File("with blank/err", err);
    const std::string script =
        bench_.File("with blank/run.sh", "cat \"$1/out\"; cat \"$1/err\" >&2; exit " + std::to_string(code));
    return "/bin/sh '" + script + "' \"" + folder + "\"";
  }
  Error FetchError(const std::string& command) {
    return ErrorOf([&] { ProcessSource(command, "work").Fetch({}); });
  }

  CredentialBench bench_;
};

std::string Document(std::string_view more) {
  return R"({"Version": 1, "AccessKeyId": "AKID1", "SecretAccessKey": "wJalrXUtnFEMI-very-secret")" +
         std::string(more) + "}";
}

TEST_F(ProcessSourceTest, WhatItPrintsAreTheCredentials) {
  EXPECT_EQ(ProcessSource(Script(Document("")), "work").Fetch({}),
            (Credentials{"AKID1", std::string(testing::kTestSecret), ""}));
  const std::string more =
      R"(, "SessionToken": "session-token-very-secret", "Expiration": "2013-05-24T01:00:00Z")";
  EXPECT_EQ(ProcessSource(Script(Document(more)), "work").Fetch({}), testing::RoleCredentials("AKID1"));
}

TEST_F(ProcessSourceTest, AFailureShowsWhatItSaidForPeopleAndNotItsOutput) {
  const Error error = FetchError(Script("very-secret", "first line\nthe session is over\n", 3));
  EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("profile 'work'"), HasSubstr("code 3"), HasSubstr("the session is over"),
                    Not(HasSubstr("first line")), Not(HasSubstr("very-secret"))));
}

TEST_F(ProcessSourceTest, OutputThatIsNoDocumentIsRefusedUnquoted) {
  for (const char* out :
       {"", "very-secret", R"({"Version": 1})", R"({"Version": 2, "AccessKeyId": "very-secret"})",
        R"({"AccessKeyId": "very-secret", "SecretAccessKey": "s"})"}) {
    const Error error = FetchError(Script(out));
    EXPECT_TRUE(error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kUnsupported) << out;
    EXPECT_THAT(error.what(), AllOf(HasSubstr("profile 'work'"), Not(HasSubstr("very-secret"))));
  }
  EXPECT_THAT(FetchError(Script(R"({"Version": 2})")).message(), HasSubstr("Version"));
}

TEST_F(ProcessSourceTest, AProgramThatIsNotThereIsNamed) {
  const Error error = FetchError("/no/such/program --flag");
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("profile 'work'"), HasSubstr("No such file")));
}

TEST_F(ProcessSourceTest, AStopEndsIt) {
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(ErrorOf([&] { ProcessSource("sleep 1000", "work").Fetch(stop.get_token()); }).code(),
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bucketline
