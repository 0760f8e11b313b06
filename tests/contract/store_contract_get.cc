// Reading: whole objects, ranges, pins, sinks, what is missing.
#include <limits>

#include "tests/contract/store_contract.h"
#include <gmock/gmock.h>

namespace bucketline::testing {
namespace {

TEST_P(StoreContract, GivesBackWhatWasPut) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100'000}, fixture().large_bytes}) {
    SCOPED_TRACE(size);
    const std::vector<uint8_t> data = RampBytes(size, size);
    const ObjectInfo put = PutBytes(store(), "folder/object.bin", data);
    EXPECT_EQ(put.key, "folder/object.bin");
    EXPECT_EQ(put.size, size);

    auto sink = std::make_shared<VectorSink>();
    const Result<ObjectInfo> got = Get(Whole("folder/object.bin"), sink);
    ASSERT_EQ(Outcome(got), "ok");
    EXPECT_TRUE(sink->bytes() == data) << "the bytes differ";
    EXPECT_EQ(got->key, "folder/object.bin");
    EXPECT_EQ(got->size, size);
    EXPECT_EQ(got->etag, put.etag);

    GetRequest pinned = Whole("folder/object.bin");
    pinned.pin = {.etag = put.etag, .size = size};
    sink = std::make_shared<VectorSink>();
    ASSERT_EQ(Outcome(Get(pinned, sink)), "ok");
    EXPECT_TRUE(sink->bytes() == data) << "the bytes differ when pinned";
  }
}

TEST_P(StoreContract, EveryCallNamesTheSameState) {
  const ObjectInfo put = PutBytes(store(), "k", "state");
  EXPECT_FALSE(put.etag.empty());
  const ObjectInfo head = HeadObject(store(), "k");
  const std::vector<ObjectInfo> listed = ListAll(store(), "");
  ASSERT_EQ(listed.size(), 1u);
  for (const ObjectInfo& object : {head, listed[0]}) {
    EXPECT_EQ(object.key, "k");
    EXPECT_EQ(object.size, 5u);
    EXPECT_EQ(object.etag, put.etag);
    EXPECT_NE(object.last_modified, WallTime{});
  }
}

TEST_P(StoreContract, AnotherContentIsAnotherState) {
  const ObjectInfo first = PutBytes(store(), "k", "one");
  const ObjectInfo second = PutBytes(store(), "k", "two");
  EXPECT_NE(first.etag, second.etag);
}

TEST_P(StoreContract, FillsExactlyTheRange) {
  const std::vector<uint8_t> data = RampBytes(1000);
  PutBytes(store(), "k", data);
  struct Case {
    uint64_t offset;
    std::optional<uint64_t> length;
    uint64_t expected;
  };
  const Case cases[] = {{0, 1, 1},    {0, 10, 10},     {495, 17, 17},  {990, 10, 10},
                        {999, 1, 1},  {0, 1000, 1000}, {500, {}, 500}, {999, {}, 1},
                        {1000, 0, 0}, {1000, {}, 0},   {0, 0, 0},      {123, 0, 0}};
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::Message() << c.offset << "+" << (c.length ? std::to_string(*c.length) : "end"));
    auto sink = std::make_shared<VectorSink>();
    const Result<ObjectInfo> got = Get(Range("k", c.offset, c.length), sink);
    ASSERT_EQ(Outcome(got), "ok");
    EXPECT_EQ(got->size, 1000u) << "the size is that of the whole object";
    EXPECT_EQ(sink->begun_size(), c.expected);
    const std::vector<uint8_t> expected(data.begin() + static_cast<ptrdiff_t>(c.offset),
                                        data.begin() + static_cast<ptrdiff_t>(c.offset + c.expected));
    EXPECT_EQ(sink->bytes(), expected);
  }
}

TEST_P(StoreContract, RangesBeyondTheEndAreRefused) {
  PutBytes(store(), "k", "0123456789");
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const std::pair<uint64_t, std::optional<uint64_t>> cases[] = {{0, 11},  {5, 6},  {10, 1},  {11, 0},
                                                                {11, {}}, {11, 1}, {5, kMax}};
  for (const auto& [offset, length] : cases) {
    SCOPED_TRACE(::testing::Message() << offset << "+" << (length ? std::to_string(*length) : "end"));
    EXPECT_EQ(Outcome(Get(Range("k", offset, length), std::make_shared<VectorSink>())), "InvalidArgument");
  }
}

TEST_P(StoreContract, AnEmptyObjectHasOnlyTheEmptyRange) {
  PutBytes(store(), "empty", "");
  auto sink = std::make_shared<VectorSink>();
  EXPECT_EQ(Outcome(Get(Whole("empty"), sink)), "ok");
  EXPECT_EQ(sink->begins(), 1);
  EXPECT_EQ(sink->begun_size(), 0u);
  EXPECT_EQ(Outcome(Get(Range("empty", 0, 1), std::make_shared<VectorSink>())), "InvalidArgument");
}

TEST_P(StoreContract, PinsLetTheSameStateThroughAndNoOther) {
  const ObjectInfo put = PutBytes(store(), "k", "pinned");
  GetRequest right = Whole("k");
  right.pin = {.etag = put.etag, .size = 6};
  EXPECT_EQ(Outcome(Get(right, std::make_shared<VectorSink>())), "ok");

  GetRequest wrong_etag = Whole("k");
  wrong_etag.pin.etag = "\"0123456789abcdef0123456789abcdef\"";
  auto untouched = std::make_shared<VectorSink>();
  EXPECT_EQ(Outcome(Get(wrong_etag, untouched)), "ObjectChanged");
  EXPECT_EQ(untouched->begins(), 0) << "no memory may be asked for a state that is not wanted";

  GetRequest wrong_size = Range("k", 0, 1);
  wrong_size.pin.size = 7;
  EXPECT_EQ(Outcome(Get(wrong_size, std::make_shared<VectorSink>())), "ObjectChanged");
}

TEST_P(StoreContract, APinOutlivedByItsObjectIsAnError) {
  const ObjectInfo old = PutBytes(store(), "k", "old one");
  PutBytes(store(), "k", "new one");
  GetRequest request = Range("k", 2, 3);
  request.pin.etag = old.etag;
  EXPECT_EQ(Outcome(Get(request, std::make_shared<VectorSink>())), "ObjectChanged");
}

TEST_P(StoreContract, WhatIsMissingIsNotFoundAndNamed) {
  PutBytes(store(), "there/a", "x");
  for (const std::string key : {"missing", "there/b", "no/such/folder"}) {
    const Result<ObjectInfo> got = Get(Whole(key), std::make_shared<VectorSink>());
    ASSERT_EQ(Outcome(got), "NotFound") << key;
    EXPECT_EQ(got.error().uri(), store().UriOf(key));
    const Result<ObjectInfo> head = Head(key);
    ASSERT_EQ(Outcome(head), "NotFound") << key;
    EXPECT_EQ(head.error().uri(), store().UriOf(key));
  }
}

TEST_P(StoreContract, AFolderOfKeysIsNoObject) {
  PutBytes(store(), "there/a", "x");
  EXPECT_EQ(Outcome(Head("there")), "NotFound");
  EXPECT_EQ(Outcome(Get(Whole("there"), std::make_shared<VectorSink>())), "NotFound");
}

TEST_P(StoreContract, TheSinkLearnsSizeAndStateBeforeTheBytes) {
  const ObjectInfo put = PutBytes(store(), "k", "0123456789");
  auto sink = std::make_shared<VectorSink>();
  ASSERT_EQ(Outcome(Get(Range("k", 3, 4), sink)), "ok");
  EXPECT_EQ(sink->begins(), 1);
  EXPECT_EQ(sink->begun_size(), 4u);
  EXPECT_EQ(sink->begun_object().key, "k");
  EXPECT_EQ(sink->begun_object().size, 10u);
  EXPECT_EQ(sink->begun_object().etag, put.etag);
}

TEST_P(StoreContract, ASinkThatRefusesEndsTheGetWithItsError) {
  PutBytes(store(), "k", "data");
  auto sink = std::make_shared<VectorSink>(Error(ErrorCode::kResourceExhausted, "no room in this test"));
  const Result<ObjectInfo> got = Get(Whole("k"), sink);
  ASSERT_EQ(Outcome(got), "ResourceExhausted");
  EXPECT_THAT(got.error().message(), ::testing::HasSubstr("no room in this test"));
  EXPECT_EQ(sink->begins(), 1) << "asking again cannot help";
}

TEST_P(StoreContract, UrisEndWithTheKey) {
  EXPECT_THAT(store().UriOf("a/b c%41+.jpg"), ::testing::EndsWith("/a/b c%41+.jpg"));
}

TEST_P(StoreContract, AVersionThatIsNotKeptIsNotRead) {
  PutBytes(store(), "k", "data");
  GetRequest request = Whole("k");
  request.pin.version = "0d2a3c5e-7f10-4a5b-8a7e-0c1d2e3f4a5b";
  auto untouched = std::make_shared<VectorSink>();
  EXPECT_NE(Outcome(Get(request, untouched)), "ok");
  EXPECT_EQ(untouched->begins(), 0);
}

}  // namespace
}  // namespace bucketline::testing
