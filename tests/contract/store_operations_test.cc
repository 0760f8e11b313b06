#include "tests/contract/store_operations.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline::testing {
namespace {

std::vector<StoreOperation> Random(uint64_t seed, int count) {
  CounterRng random(seed, 0, 0);
  std::vector<StoreOperation> operations;
  for (int i = 0; i < count; ++i) operations.push_back(RandomOperation(random));
  return operations;
}

TEST(StoreOperationsTest, TextsAreReadAsTheyWereWritten) {
  const std::string text = ToText(Random(1, 500));
  EXPECT_EQ(ToText(ParseOperations(text)), text);
  EXPECT_EQ(ToText(ParseOperations("# a comment\n\nget f%20f 5 end\n")), "get f%20f 5 end\n");
  EXPECT_THROW(ParseOperations("fetch k\n"), std::runtime_error);
  EXPECT_THROW(ParseOperations("put k 5\n"), std::runtime_error);
}

TEST(StoreOperationsTest, APrefixEndsWithAWholeCharacter) {
  const std::string accented = "f\xc3\xa9";  // of RandomOperation's names the one that is not ASCII
  for (const StoreOperation& operation : Random(3, 5000)) {
    if (operation.kind != StoreOperation::Kind::kList) continue;
    EXPECT_FALSE(operation.key.ends_with(accented.substr(0, 2))) << ToText({operation});
  }
}

// Forgets what was overwritten: a delete brings the object back.
class ForgetfulStore : public RecordingStore {
 public:
  using RecordingStore::RecordingStore;
  void Delete(std::string key, std::function<void(Result<void>)> done) override {
    if (key.find('F') == std::string::npos) return RecordingStore::Delete(std::move(key), std::move(done));
    RecordingStore::Delete("nothing", std::move(done));
  }
};

std::string DifferenceOfAForgetfulStore(const std::vector<StoreOperation>& operations) {
  ForgetfulStore store(MakeMemoryStore("m"));
  return FindDifference(store, operations);
}

TEST(StoreOperationsTest, ADifferenceIsFoundAndMadeShort) {
  std::vector<StoreOperation> operations = Random(7, 400);
  ASSERT_NE(DifferenceOfAForgetfulStore(operations), "");
  const auto shortest =
      Shrink(operations, [](const auto& fewer) { return !DifferenceOfAForgetfulStore(fewer).empty(); });
  // The put, the delete, and what looks.
  ASSERT_EQ(shortest.size(), 3u) << ToText(shortest);
  EXPECT_EQ(shortest[1].kind, StoreOperation::Kind::kDelete);
  EXPECT_THAT(shortest[1].key, ::testing::HasSubstr("F"));
  const std::unique_ptr<ObjectStore> sound = MakeMemoryStore("m");
  EXPECT_EQ(FindDifference(*sound, shortest), "");
}

}  // namespace
}  // namespace bucketline::testing
