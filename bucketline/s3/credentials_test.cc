#include "bucketline/s3/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CredentialsTest, StaticOnesAreAtHandAndHaveNoOthers) {
  const Credentials credentials{"id", "secret", "token"};
  const auto provider = StaticCredentials(credentials, "the options");
  ASSERT_TRUE(provider->TryGet());
  EXPECT_EQ(**provider->TryGet(), credentials);
  CredentialsPtr got;
  provider->Get([&](Result<CredentialsPtr> result) { got = *result; });
  EXPECT_EQ(got, *provider->TryGet());
  EXPECT_FALSE(provider->Renew(got));
  EXPECT_EQ(provider->Source(), "the options");
}

TEST(CredentialsTest, HalfOfAPairIsAnErrorThatSaysWhere) {
  for (const Credentials& half : {Credentials{"id", "", ""}, Credentials{"", "secret", ""}}) {
    const auto result = Catch([&] { StaticCredentials(half, "the options"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(result.error().message(), HasSubstr("the options"));
  }
}

TEST(CredentialsTest, CharactersThatNoKeyHasAreRefusedWithoutShowingThem) {
  for (const char* text : {"secret\n", "sec ret", "secret\r\nX-Evil: 1", "secr\xc3\xa9t"}) {
    for (const Credentials& bad :
         {Credentials{text, "s", ""}, Credentials{"id", text, ""}, Credentials{"id", "s", text}}) {
      const auto result = Catch([&] { CheckCredentials(bad, "here"); });
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(result.error().what(), Not(HasSubstr("sec")));
    }
  }
}

}  // namespace
}  // namespace bucketline
