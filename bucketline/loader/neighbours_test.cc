#include "bucketline/loader/neighbours.h"

#include <functional>

#include <gtest/gtest.h>

#include "bucketline/store/memory_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

const auto kStore = std::make_shared<testing::JoiningStore>(MakeMemoryStore("data"), 10);

FetchItem Item(uint64_t tag, uint64_t offset, uint64_t length) {
  return {
      .tag = tag,
      .place = {
          .store = kStore,
          .part = {
              .object_key = "shard", .offset = offset, .length = length, .object_size = 1000, .etag = "1"}}};
}

bool Joins(FetchItem first, FetchItem second, uint64_t most = 1000) {
  Neighbours neighbours(most);
  std::deque<FetchItem> row{std::move(first)};
  std::deque<FetchItem> next{std::move(second)};
  EXPECT_TRUE(neighbours.Add(row));
  return neighbours.Add(next);
}

TEST(Neighbours, AreTakenInTheirOrderAsOneItem) {
  Neighbours neighbours(1000);
  EXPECT_FALSE(neighbours.Take());
  std::deque<FetchItem> row{Item(7, 100, 10), Item(8, 80, 20)};
  std::deque<FetchItem> next{Item(9, 115, 5)};
  ASSERT_TRUE(neighbours.Add(row) && neighbours.Add(next));
  EXPECT_TRUE(row.empty() && next.empty());
  const std::optional<FetchItem> item = neighbours.Take();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->tag, 7u);
  EXPECT_EQ(item->place.part.offset, 100u);
  ASSERT_EQ(item->neighbours.size(), 2u);
  EXPECT_EQ(item->neighbours[0].tag, 8u);
  EXPECT_EQ(item->neighbours[0].part.offset, 80u);
  EXPECT_EQ(item->neighbours[1].tag, 9u);
  EXPECT_FALSE(neighbours.Take());
}

TEST(Neighbours, LieNoFurtherApartThanTheStoreSaysAndDoNotOverlap) {
  EXPECT_TRUE(Joins(Item(0, 100, 10), Item(1, 110, 10)));
  EXPECT_TRUE(Joins(Item(0, 100, 10), Item(1, 120, 10)));
  EXPECT_FALSE(Joins(Item(0, 100, 10), Item(1, 121, 10)));
  EXPECT_TRUE(Joins(Item(0, 100, 10), Item(1, 80, 10)));
  EXPECT_FALSE(Joins(Item(0, 100, 10), Item(1, 79, 10)));
  EXPECT_FALSE(Joins(Item(0, 100, 10), Item(1, 109, 10)));
  EXPECT_FALSE(Joins(Item(0, 100, 10), Item(1, 91, 10)));
  EXPECT_FALSE(Joins(Item(0, 100, 10), Item(1, 100, 10)));
}

TEST(Neighbours, AreNoMoreBytesTogetherThanIsAllowed) {
  EXPECT_TRUE(Joins(Item(0, 100, 10), Item(1, 115, 10), 25));
  EXPECT_FALSE(Joins(Item(0, 100, 10), Item(1, 116, 10), 25));
  Neighbours neighbours(25);
  std::deque<FetchItem> large{Item(0, 100, 26)};
  EXPECT_FALSE(neighbours.Add(large));
  EXPECT_EQ(large.size(), 1u);
}

TEST(Neighbours, AreOfOneStateOfOneObject) {
  const std::vector<std::function<void(PartPlace&)>> others = {
      [](PartPlace& place) { place.part.object_key = "other"; },
      [](PartPlace& place) { place.part.etag = "2"; },
      [](PartPlace& place) { place.part.version = "v"; },
      [](PartPlace& place) { place.part.object_size = 999; },
      [](PartPlace& place) { place.pin = PinMode::kSize; },
      [](PartPlace& place) {
        place.store = std::make_shared<testing::JoiningStore>(MakeMemoryStore("data"), 10);
      },
  };
  for (const auto& change : others) {
    FetchItem other = Item(1, 110, 10);
    change(other.place);
    EXPECT_FALSE(Joins(Item(0, 100, 10), other));
  }
}

TEST(Neighbours, ARowIsTakenWholeOrNot) {
  Neighbours neighbours(1000);
  std::deque<FetchItem> row{Item(0, 100, 10)};
  std::deque<FetchItem> next{Item(1, 110, 10), Item(2, 500, 10)};
  ASSERT_TRUE(neighbours.Add(row));
  EXPECT_FALSE(neighbours.Add(next));
  EXPECT_EQ(next.size(), 2u);
  EXPECT_TRUE(neighbours.Take()->neighbours.empty());
  EXPECT_FALSE(neighbours.Add(next)) << "nor as the first";
  EXPECT_EQ(next.size(), 2u);
}

TEST(Neighbours, AreLeftAloneWhereTheStoreSaysSo) {
  Neighbours neighbours(1000);
  std::deque<FetchItem> row{Item(0, 100, 10)};
  row.front().place.store = MakeMemoryStore("data");
  EXPECT_FALSE(neighbours.Add(row));
}

}  // namespace
}  // namespace bucketline
