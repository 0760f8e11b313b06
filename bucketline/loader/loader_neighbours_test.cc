// Rows that lie side by side in a shard are read together, and nothing else changes.
#include <algorithm>
#include <atomic>

#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/records/shard_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

constexpr uint64_t kRecords = 30;
constexpr uint64_t kGap = 4096;  // more than a tar has between two members

std::string Text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

// A tar of images and masks: for fields of known and of unknown sizes, beside bytes, with a transform, and bytes alone.
class LoaderNeighbours : public ::testing::TestWithParam<int> {
 protected:
  LoaderNeighbours() {
    options_.seed = 3;
    options_.last = LastPolicy::kPartial;
  }

  void PutTar(const std::vector<uint64_t>& without_a_mask = {}) {
    std::vector<std::pair<std::string, std::string>> members;
    for (uint64_t i = 0; i < kRecords; ++i) {
      const bool bad = std::find(without_a_mask.begin(), without_a_mask.end(), i) != without_a_mask.end();
      members.emplace_back(PairBucket::Name(i) + ".jpg",
                           Text(EncodeJpeg(MakePicture(kWidth, kHeight, 3, i))));
      members.emplace_back(PairBucket::Name(i) + ".png",
                           bad ? "<html>no mask</html>" : Text(EncodePng(PairBucket::Mask(i))));
    }
    bucket_.Put("pairs.tar", records_testing::Tar(members));
  }

  Dataset Open(const std::string& store = "data") {
    return bucket_.Open("mem://" + store + "/pairs.tar",
                        {.parts = {PartChoice::Parse("image=jpg"), PartChoice::Parse("mask=png")}});
  }
  Dataset OpenThrough(std::shared_ptr<ObjectStore> store) {
    const std::string name = "through" + std::to_string(stores_++);
    bucket_.runtime().AddStore(name, std::move(store));
    return Open(name);
  }

  // The dataset, whose neighbours are read together, late and out of order.
  Dataset Joined() {
    return OpenThrough(std::make_shared<JoiningStore>(Uneven(bucket_.store(), 3000), kGap));
  }

  Bucket bucket_;
  LoaderOptions options_ = PairVariant(GetParam());
  int stores_ = 0;
};

INSTANTIATE_TEST_SUITE_P(All, LoaderNeighbours, ::testing::Range(0, kPairVariants));

TEST_P(LoaderNeighbours, GiveTheSameBatchesWhateverTheTimingAndTheMemory) {
  PutTar();
  struct Variant {
    size_t threads;
    uint64_t memory;
    size_t requests;
  };
  for (const bool shuffle : {false, true}) {
    options_.shuffle = shuffle;
    options_.on_error = OnError::kRaise;
    Loader plain(Open(), options_);
    const std::vector<Given> expected = Epochs(plain, 2);
    ASSERT_EQ(expected.size(), 16u);
    for (const OnError on_error : {OnError::kRaise, OnError::kSkip, OnError::kMask}) {
      for (const Variant& variant :
           {Variant{1, uint64_t{1} << 30, 7}, Variant{8, 1800000, 1}, Variant{3, 1800000, 64}}) {
        options_.on_error = on_error;
        options_.threads = variant.threads;
        options_.memory = variant.memory;
        options_.max_requests = variant.requests;
        Loader loader(Joined(), options_);
        EXPECT_EQ(Epochs(loader, 2), expected) << variant.threads << " " << variant.memory;
        EXPECT_LE(loader.Stats().budget_peak, variant.memory);
      }
    }
    options_.memory = SmallOptions().memory;
  }
}

TEST_P(LoaderNeighbours, AreSkippedOneByOne) {
  PutTar({3, 4, 17});
  options_.on_error = OnError::kSkip;
  options_.max_skipped = 1;
  Loader plain(Open(), options_);
  const std::vector<Given> expected = Epochs(plain, 2);
  for (const uint64_t memory : {uint64_t{1800000}, uint64_t{1} << 30}) {
    options_.memory = memory;
    Loader loader(Joined(), options_);
    EXPECT_EQ(Epochs(loader, 2), expected);
    EXPECT_EQ(loader.Stats().skipped, plain.Stats().skipped);
  }
}

TEST_P(LoaderNeighbours, AreAskedForTogether) {
  PutTar();
  auto store = std::make_shared<JoiningStore>(bucket_.store(), kGap);
  const Dataset dataset = OpenThrough(store);
  const auto gets_of = [&](bool shuffle) {
    store->Forget();
    options_.shuffle = shuffle;
    options_.epochs = 1;
    Loader loader(dataset, options_);
    EXPECT_EQ(RestOfEpoch(loader).size(), 8u);
    return store->CountOf(StoreOp::kGet);
  };
  EXPECT_EQ(gets_of(false), 8u) << "a batch each";
  EXPECT_LE(gets_of(true), kRecords) << "a record each, with its image and its mask, at most";
}

// The error is that of the first row whose own bytes are missing.
TEST_P(LoaderNeighbours, OfAShardThatWasCutOffFailFromThereOn) {
  PutTar();
  std::atomic<uint64_t> end = ~uint64_t{0};
  const auto beyond = [&end](const StoreCall& call, uint64_t) {
    if (call.op != StoreOp::kGet || call.offset + call.length.value_or(0) <= end) return Fault::None();
    return Fault::FailBefore(Error(ErrorCode::kInvalidArgument, "the range reaches beyond the end"));
  };
  auto store = std::make_shared<JoiningStore>(std::make_shared<FaultStore>(bucket_.store(), beyond), kGap);
  const Dataset dataset = OpenThrough(store);
  const RecordPart image = dataset.RecordAt(5).parts.front();
  end = image.offset + image.length;
  Loader loader(dataset, options_);
  EXPECT_TRUE(loader.Next());
  const Error error = ErrorOf([&] { loader.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.uri(), "mem://data/pairs.tar");
}

}  // namespace
}  // namespace bucketline
