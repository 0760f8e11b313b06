// Writing: nothing before Commit, everything after, nothing of what was aborted; deleting.
#include <algorithm>

#include "tests/contract/store_contract.h"
#include <gmock/gmock.h>

namespace bucketline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::span<const uint8_t> Text(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST_P(StoreContract, NothingIsVisibleBeforeCommit) {
  PutBytes(store(), "d/other", "x");
  const auto writer = store().OpenWriter("d/k");
  EXPECT_EQ(Outcome(Head("d/k")), "NotFound");
  writer->Write(Text("half"));
  EXPECT_EQ(Outcome(Head("d/k")), "NotFound");
  EXPECT_THAT(AllKeys(), ElementsAre("d/other"));
  const ObjectInfo committed = writer->Commit();
  EXPECT_EQ(committed.key, "d/k");
  EXPECT_EQ(committed.size, 4u);
  EXPECT_EQ(Head("d/k")->etag, committed.etag);
  EXPECT_THAT(AllKeys(), ElementsAre("d/k", "d/other"));
}

TEST_P(StoreContract, AbortLeavesNothing) {
  PutBytes(store(), "other", "x");
  const auto writer = store().OpenWriter("k");
  writer->Write(Text("data"));
  writer->Abort();
  writer->Abort();
  EXPECT_EQ(Outcome(Head("k")), "NotFound");
  EXPECT_THAT(AllKeys(), ElementsAre("other"));
}

TEST_P(StoreContract, DestroyingAWriterAborts) {
  PutBytes(store(), "k", "old");
  store().OpenWriter("k")->Write(Text("new"));
  store().OpenWriter("k2")->Write(Text("new"));
  EXPECT_EQ(GetBytes(store(), "k").view(), "old");
  EXPECT_THAT(AllKeys(), ElementsAre("k"));
}

TEST_P(StoreContract, AnOverwrittenObjectStaysWholeUntilCommit) {
  const std::vector<uint8_t> old_data = RampBytes(50'000, 1);
  const std::vector<uint8_t> new_data = RampBytes(30'000, 2);
  PutBytes(store(), "k", old_data);
  const auto writer = store().OpenWriter("k");
  writer->Write(new_data);
  EXPECT_TRUE(std::ranges::equal(GetBytes(store(), "k").span(), old_data));
  writer->Commit();
  EXPECT_TRUE(std::ranges::equal(GetBytes(store(), "k").span(), new_data));
}

TEST_P(StoreContract, ManyWritesOfOddSizesMakeOneObject) {
  const std::vector<uint8_t> data = RampBytes(fixture().large_bytes, 7);
  const auto writer = store().OpenWriter("parts");
  const size_t sizes[] = {1, 0, 4095, 65'537, 1'048'577, 7, 5'242'880, 333'333};
  size_t at = 0;
  for (size_t i = 0; at < data.size(); ++i) {
    const size_t size = std::min(sizes[i % std::size(sizes)], data.size() - at);
    writer->Write(std::span(data).subspan(at, size));
    at += size;
  }
  EXPECT_EQ(writer->Commit().size, data.size());
  EXPECT_TRUE(std::ranges::equal(GetBytes(store(), "parts").span(), data));
}

TEST_P(StoreContract, AWriterWithoutWritesMakesAnEmptyObject) {
  EXPECT_EQ(store().OpenWriter("empty")->Commit().size, 0u);
  EXPECT_EQ(Head("empty")->size, 0u);
}

TEST_P(StoreContract, IfAbsentNeverReplaces) {
  if (!fixture().supports_if_absent) GTEST_SKIP() << "declared as not supported";
  PutBytes(store(), "k", "first", {.if_absent = true});
  EXPECT_EQ(CodeThrownBy([&] { PutBytes(store(), "k", "second", {.if_absent = true}); }),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(GetBytes(store(), "k").view(), "first");
  EXPECT_THAT(AllKeys(), ElementsAre("k"));
}

TEST_P(StoreContract, OfTwoIfAbsentWritersTheFirstCommitWins) {
  if (!fixture().supports_if_absent) GTEST_SKIP() << "declared as not supported";
  const auto one = store().OpenWriter("k", {.if_absent = true});
  const auto two = store().OpenWriter("k", {.if_absent = true});
  one->Write(Text("one"));
  two->Write(Text("two"));
  two->Commit();
  EXPECT_EQ(CodeThrownBy([&] { one->Commit(); }), ErrorCode::kAlreadyExists);
  EXPECT_EQ(GetBytes(store(), "k").view(), "two");
}

TEST_P(StoreContract, AWriterIsUsedOnce) {
  const auto committed = store().OpenWriter("k");
  committed->Commit();
  EXPECT_EQ(CodeThrownBy([&] { committed->Write(Text("x")); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeThrownBy([&] { committed->Commit(); }), ErrorCode::kInvalidArgument);
  committed->Abort();
  EXPECT_EQ(Outcome(Head("k")), "ok") << "Abort after Commit is without effect";
  const auto aborted = store().OpenWriter("k2");
  aborted->Abort();
  EXPECT_EQ(CodeThrownBy([&] { aborted->Write(Text("x")); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeThrownBy([&] { aborted->Commit(); }), ErrorCode::kInvalidArgument);
}

TEST_P(StoreContract, WritersOfDifferentKeysDoNotMeet) {
  const auto a = store().OpenWriter("w/a");
  const auto b = store().OpenWriter("w/b");
  for (int i = 0; i < 100; ++i) {
    a->Write(Text("a"));
    b->Write(Text("b"));
  }
  b->Commit();
  a->Commit();
  EXPECT_EQ(GetBytes(store(), "w/a").view(), std::string(100, 'a'));
  EXPECT_EQ(GetBytes(store(), "w/b").view(), std::string(100, 'b'));
}

TEST_P(StoreContract, DeletingTwiceIsASuccess) {
  PutBytes(store(), "k", "x");
  PutBytes(store(), "d/k", "x");
  EXPECT_EQ(Outcome(Delete("k")), "ok");
  EXPECT_EQ(Outcome(Head("k")), "NotFound");
  EXPECT_EQ(Outcome(Delete("k")), "ok");
  EXPECT_EQ(Outcome(Delete("no/such/folder")), "ok");
  EXPECT_EQ(Outcome(Delete("d")), "ok") << "there is no object of that name";
  EXPECT_THAT(AllKeys(), ElementsAre("d/k"));
}

}  // namespace
}  // namespace bucketline::testing
