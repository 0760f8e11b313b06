#include "bucketline/train/checkpoint.h"

#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CheckpointTest : public ::testing::Test {
 protected:
  // Its store refuses to write the keys that end in `refused_`, as a crash or a lost permission would.
  CheckpointTest()
      : store_(std::make_shared<FaultStore>(MakeMemoryStore("c"), [this](const StoreCall& call, uint64_t) {
          const bool refuses =
              call.op == StoreOp::kOpenWriter && !refused_.empty() && call.key.ends_with(refused_);
          return refuses ? Fault::FailBefore(Error(ErrorCode::kPermissionDenied, "refused")) : Fault::None();
        })) {
    runtime_.AddStore("c", store_);
    folder_.emplace(runtime_, "mem://c/run");
  }

  static Checkpoint Make(uint64_t step, const std::string& text) {
    return {.step = step, .files = {{"model", Bytes::Copy(text)}, {"state", Bytes::Copy("s" + text)}}};
  }

  std::set<std::string> Keys() {
    std::set<std::string> keys;
    for (const ObjectInfo& object : ListAll(*store_, "")) keys.insert(object.key);
    return keys;
  }

  Runtime runtime_;
  std::string refused_;
  std::shared_ptr<FaultStore> store_;
  std::optional<CheckpointFolder> folder_;
};

TEST_F(CheckpointTest, LoadsWhatWasSavedLast) {
  EXPECT_FALSE(folder_->Load());
  folder_->Save(Make(1, "one"), 3);
  folder_->Save(Make(2, "two"), 3);
  const std::optional<Checkpoint> loaded = folder_->Load();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->step, 2u);
  EXPECT_EQ(loaded->files.at("model").view(), "two");
  EXPECT_EQ(loaded->files.at("state").view(), "stwo");
}

TEST_F(CheckpointTest, FilesLieBelowTheirStep) {
  folder_->Save(Make(12, "x"), 1);
  EXPECT_THAT(Keys(), ElementsAre("run/latest.json", "run/step-00000012/model", "run/step-00000012/state"));
}

TEST_F(CheckpointTest, KeepsTheNewestAndTouchesNothingElse) {
  PutBytes(*store_, "run/step-by-step.txt", "the user's");
  PutBytes(*store_, "run/step-00000001-x/model", "the user's");
  PutBytes(*store_, "run/notes/step-00000001/model", "the user's");
  PutBytes(*store_, "run2/step-00000001/model", "another run's");
  for (uint64_t step = 1; step <= 5; ++step) folder_->Save(Make(step, "x"), 2);
  EXPECT_THAT(Keys(),
              ElementsAre("run/latest.json", "run/notes/step-00000001/model", "run/step-00000001-x/model",
                          "run/step-00000004/model", "run/step-00000004/state", "run/step-00000005/model",
                          "run/step-00000005/state", "run/step-by-step.txt", "run2/step-00000001/model"));
}

TEST_F(CheckpointTest, StepsThatARestartLeftBehindGoFirst) {
  folder_->Save(Make(9, "abandoned"), 3);
  folder_->Save(Make(3, "restarted"), 3);
  EXPECT_EQ(Keys().count("run/step-00000009/model"), 0u);
  EXPECT_EQ(folder_->Load()->step, 3u);
}

TEST_F(CheckpointTest, AFailedSaveLeavesTheLastCompleteOne) {
  folder_->Save(Make(1, "one"), 1);
  for (const char* refused : {"step-00000002/model", "step-00000002/state", "latest.json"}) {
    refused_ = refused;
    EXPECT_THROW(folder_->Save(Make(2, "two"), 1), Error) << refused;
    EXPECT_EQ(folder_->Load()->step, 1u) << refused;
  }
  refused_.clear();
  folder_->Save(Make(2, "two"), 1);
  EXPECT_EQ(folder_->Load()->step, 2u);
}

TEST_F(CheckpointTest, TheBestStaysWhateverComesAfter) {
  folder_->Save(Make(1, "one"), 2);
  EXPECT_FALSE(folder_->Load(CheckpointFolder::kBest));
  folder_->Save(Make(2, "two"), 2, /*best=*/true);
  for (uint64_t step = 3; step <= 6; ++step) folder_->Save(Make(step, "x"), 2);
  EXPECT_THAT(Keys(),
              ElementsAre("run/best.json", "run/latest.json", "run/step-00000002/model",
                          "run/step-00000002/state", "run/step-00000005/model", "run/step-00000005/state",
                          "run/step-00000006/model", "run/step-00000006/state"));
  EXPECT_EQ(folder_->Load(CheckpointFolder::kBest)->files.at("model").view(), "two");
  // Another process knows the best one only from its .json.
  CheckpointFolder(runtime_, "mem://c/run").Save(Make(7, "seven"), 1);
  EXPECT_EQ(folder_->Load(CheckpointFolder::kBest)->step, 2u);
  folder_->Save(Make(8, "eight"), 1, /*best=*/true);
  EXPECT_EQ(Keys().count("run/step-00000002/model"), 0u);  // no longer the best
}

TEST_F(CheckpointTest, AFailedSaveLeavesTheLastBestOne) {
  folder_->Save(Make(1, "one"), 1, true);
  for (const char* refused : {"step-00000002/state", "best.json"}) {
    refused_ = refused;
    EXPECT_THROW(folder_->Save(Make(2, "two"), 1, true), Error) << refused;
    EXPECT_EQ(folder_->Load(CheckpointFolder::kBest)->step, 1u) << refused;
    EXPECT_EQ(folder_->Load()->step, 1u) << refused;
  }
  refused_ = "latest.json";
  EXPECT_THROW(folder_->Save(Make(2, "two"), 1, true), Error);
  EXPECT_EQ(folder_->Load(CheckpointFolder::kBest)->files.at("model").view(), "two");
  EXPECT_EQ(folder_->Load()->files.at("model").view(), "one");
}

// A run that starts anew in a used folder comes to the same steps: until it has saved one whole, the old ones
// stay readable.
TEST_F(CheckpointTest, ASecondRunOverwritesNothingThatIsNamed) {
  folder_->Save(Make(4, "old best"), 1, true);
  folder_->Save(Make(8, "old"), 1);
  CheckpointFolder again(runtime_, "mem://c/run");
  for (const char* refused : {"model", "state", "latest.json"}) {
    refused_ = refused;
    EXPECT_THROW(again.Save(Make(8, "new"), 2), Error);
    EXPECT_EQ(folder_->Load()->files.at("model").view(), "old") << refused;
  }
  refused_.clear();
  again.Save(Make(4, "new four"), 2);
  EXPECT_EQ(again.Load()->files.at("model").view(), "new four");
  EXPECT_EQ(again.Load(CheckpointFolder::kBest)->files.at("model").view(), "old best");
  again.Save(Make(8, "new eight"), 2, true);
  EXPECT_EQ(again.Load(CheckpointFolder::kBest)->files.at("model").view(), "new eight");
  EXPECT_THAT(Keys(),
              ElementsAre("run/best.json", "run/latest.json", "run/step-00000004-1/model",
                          "run/step-00000004-1/state", "run/step-00000008/model", "run/step-00000008/state"));
}

TEST_F(CheckpointTest, DamageIsNamed) {
  folder_->Save(Make(1, "one"), 1);
  const auto expect_corrupt = [&](const std::string& uri) {
    try {
      folder_->Load();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
      EXPECT_EQ(error.uri(), uri);
    }
  };
  PutBytes(*store_, "run/step-00000001/model", "onE");  // same size
  expect_corrupt("mem://c/run/step-00000001/model");
  PutBytes(*store_, "run/step-00000001/model", "one");
  EXPECT_TRUE(folder_->Load());
  DeleteObject(*store_, "run/step-00000001/state");
  expect_corrupt("mem://c/run/step-00000001/state");
  PutBytes(*store_, "run/latest.json", "{");
  expect_corrupt("mem://c/run/latest.json");
}

TEST_F(CheckpointTest, AnotherVersionSaysSo) {
  PutBytes(*store_, "run/latest.json", R"({"format": 2})");
  try {
    folder_->Load();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  }
}

TEST_F(CheckpointTest, AnEmptyPrefixIsTheWholeBucket) {
  CheckpointFolder whole(runtime_, "mem://c/");
  whole.Save(Make(1, "x"), 1);
  EXPECT_EQ(Keys().count("latest.json"), 1u);
  EXPECT_EQ(whole.Load()->step, 1u);
}

}  // namespace
}  // namespace bucketline
