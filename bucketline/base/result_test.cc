#include "bucketline/base/result.h"

#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

const Error kError(ErrorCode::kTimeout, "too slow", "s3://b/k");

TEST(Result, HoldsAValue) {
  Result<std::string> result("abc");
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(static_cast<bool>(result));
  EXPECT_EQ(*result, "abc");
  EXPECT_EQ(result->size(), 3u);
  *result += "d";
  EXPECT_EQ(std::as_const(result)->size(), 4u);
  EXPECT_EQ(*std::as_const(result), "abcd");
  EXPECT_EQ(std::move(result).ValueOrThrow(), "abcd");
}

TEST(Result, HoldsAnError) {
  Result<std::string> result(kError);
  EXPECT_FALSE(result.ok());
  EXPECT_FALSE(static_cast<bool>(result));
  EXPECT_EQ(result.error().code(), ErrorCode::kTimeout);
  try {
    std::move(result).ValueOrThrow();
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.uri(), "s3://b/k");
  }
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  Result<std::unique_ptr<int>> moved(std::move(result));
  const std::unique_ptr<int> value = *std::move(moved);
  EXPECT_EQ(*value, 5);
  EXPECT_EQ(*Result<std::unique_ptr<int>>(std::make_unique<int>(6)).ValueOrThrow(), 6);
}

TEST(Result, OfVoidIsOkOrAnError) {
  const Result<void> good;
  EXPECT_TRUE(good.ok());
  EXPECT_TRUE(static_cast<bool>(good));
  EXPECT_NO_THROW(good.ValueOrThrow());
  const Result<void> bad(kError);
  EXPECT_FALSE(bad.ok());
  EXPECT_FALSE(static_cast<bool>(bad));
  EXPECT_EQ(bad.error().message(), "too slow");
  EXPECT_THROW(bad.ValueOrThrow(), Error);
}

TEST(Catch, PassesValuesThrough) {
  EXPECT_EQ(*Catch([] { return 5; }), 5);
  bool ran = false;
  EXPECT_TRUE(Catch([&] { ran = true; }).ok());
  EXPECT_TRUE(ran);
}

TEST(Catch, KeepsAnErrorAsItIs) {
  const Result<int> result = Catch([]() -> int { throw kError; });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kTimeout);
  EXPECT_EQ(result.error().uri(), "s3://b/k");
  EXPECT_EQ(Catch([] { throw kError; }).error().code(), ErrorCode::kTimeout);
}

TEST(Catch, MakesForeignExceptionsInternal) {
  const Result<void> standard = Catch([] { throw std::out_of_range("index 7"); });
  ASSERT_FALSE(standard.ok());
  EXPECT_EQ(standard.error().code(), ErrorCode::kInternal);
  EXPECT_EQ(standard.error().message(), "index 7");
  const Result<void> other = Catch([] { throw 42; });
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), ErrorCode::kInternal);
}

}  // namespace
}  // namespace bucketline
