// Keys that break naive stores.
#include <algorithm>

#include "tests/contract/store_contract.h"
#include <gmock/gmock.h>

namespace bucketline::testing {
namespace {

// 1,024 bytes, the most that S3 takes, in segments of at most 249.
std::string LongKey() {
  const std::string segment(249, 'x');
  return segment + "/" + segment + "/" + segment + "/" + segment + "/" + std::string(24, 'y');
}

void ExpectKeysSurvive(ObjectStore& store, std::vector<std::string> keys) {
  for (const std::string& key : keys) {
    SCOPED_TRACE(key);
    PutBytes(store, key, "content of " + key);
  }
  for (const std::string& key : keys) {
    SCOPED_TRACE(key);
    EXPECT_EQ(GetBytes(store, key).view(), "content of " + key);
    EXPECT_EQ(HeadObject(store, key).key, key);
    const std::vector<ObjectInfo> found = ListAll(store, key);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.front().key, key);
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(KeysOf(ListAll(store, "")), keys);
  for (const std::string& key : keys) DeleteObject(store, key);
  EXPECT_THAT(ListAll(store, ""), ::testing::IsEmpty());
}

TEST_P(StoreContract, OddKeysAreJustBytes) {
  ExpectKeysSurvive(store(), {"with space", " leading and trailing ", "plus+plus", "percent%", "%41", "A",
                              "a&b=c?d#e", "quote'\"<>&", "back\\slash", "f(1)[2]{3}*!~^|;,$@:",
                              "\xc3\xa9t\xc3\xa9/\xe6\x97\xa5\xe6\x9c\xac.jpg", "e\xcc\x81",
                              "\xf0\x9f\xaa\xa3", "...", ".hidden", "..x/y", "x/.z", "a.b.c", "-"});
}

TEST_P(StoreContract, LongKeysFit) {
  ASSERT_EQ(LongKey().size(), 1024u);
  ExpectKeysSurvive(store(), {LongKey()});
}

TEST_P(StoreContract, ControlBytesInKeys) {
  if (!fixture().supports_control_bytes) GTEST_SKIP() << "declared as not supported";
  ExpectKeysSurvive(store(), {"a\nb", "a\x01z", "tab\there"});
}

TEST_P(StoreContract, AKeyMayLieBelowAnother) {
  if (!fixture().supports_key_below_key) {
    PutBytes(store(), "a", "x");
    EXPECT_EQ(CodeThrownBy([&] { PutBytes(store(), "a/b", "y"); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(Outcome(Head("a/b")), "NotFound");
    EXPECT_EQ(Outcome(Delete("a/b")), "ok");
    EXPECT_EQ(GetBytes(store(), "a").view(), "x");
    return;
  }
  ExpectKeysSurvive(store(), {"a", "a/b", "a/b/c"});
}

TEST_P(StoreContract, EmptySegmentsAreKeptOrRefused) {
  const std::vector<std::string> keys = {"a//b", "b/", "/c"};
  if (fixture().supports_empty_segments) {
    ExpectKeysSurvive(store(), keys);
    return;
  }
  for (const std::string& key : keys) {
    EXPECT_EQ(CodeThrownBy([&] { store().OpenWriter(key); }), ErrorCode::kInvalidArgument) << key;
    EXPECT_EQ(Outcome(Head(key)), "InvalidArgument") << key;
  }
}

TEST_P(StoreContract, DotSegmentsAreKeptOrRefused) {
  const std::vector<std::string> keys = {"a/../b", "./c", "d/."};
  if (fixture().supports_dot_segments) {
    ExpectKeysSurvive(store(), keys);
    return;
  }
  for (const std::string& key : keys) {
    EXPECT_EQ(CodeThrownBy([&] { store().OpenWriter(key); }), ErrorCode::kInvalidArgument) << key;
    EXPECT_EQ(Outcome(Get(Whole(key), std::make_shared<VectorSink>())), "InvalidArgument") << key;
    EXPECT_EQ(Outcome(Delete(key)), "InvalidArgument") << key;
  }
}

TEST_P(StoreContract, TheEmptyKeyIsRefused) {
  EXPECT_EQ(CodeThrownBy([&] { store().OpenWriter(""); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Outcome(Get(Whole(""), std::make_shared<VectorSink>())), "InvalidArgument");
  EXPECT_EQ(Outcome(Head("")), "InvalidArgument");
  EXPECT_EQ(Outcome(Delete("")), "InvalidArgument");
}

}  // namespace
}  // namespace bucketline::testing
