// Whole small training runs of several ranks, which are threads here and processes in python/tests/test_train_ranks.py.
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "tests/train/on_libtorch.h"
#include "tests/train/several_ranks.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "bucketline/train/checkpoint.h"
#include "bucketline/train/nn/tensor_archive.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

class OnRanks : public OnLibTorch, public ::testing::WithParamInterface<size_t> {
 protected:
  // What every rank's Train gives. `change` sees the options of each.
  std::vector<TrainResult> TrainOn(size_t ranks, const TrainOptions& options,
                                   const std::function<void(size_t, TrainOptions&)>& change = {},
                                   const std::function<TrainObserver(size_t)>& observer = {},
                                   bool validate = false) {
    ::setenv("MASTER_ADDR", "127.0.0.1", 1);
    ::setenv("MASTER_PORT", nn::FreePort().c_str(), 1);
    std::vector<TrainResult> results(ranks);
    thrown_ = nn::OnThreads(ranks, [&](size_t rank) {
      TrainOptions mine = options;
      mine.ranks = {.rank = rank, .world_size = ranks};
      mine.rank_timeout = std::chrono::seconds(60);
      if (change) change(rank, mine);
      const Dataset all = Open();
      const auto [train, validation] = all.Split(0.7);
      results[rank] = Train(runtime_, validate ? train : all, validate ? &validation : nullptr, mine,
                            observer ? observer(rank) : TrainObserver());
    });
    return results;
  }

  nn::NamedTensors Saved(const std::string& uri) {
    const std::optional<Checkpoint> checkpoint = CheckpointFolder(runtime_, uri).Load();
    return nn::LoadTensors(checkpoint->files.at("model.safetensors"));
  }

  std::vector<std::exception_ptr> thrown_;
};

double Distance(const nn::NamedTensors& one, const nn::NamedTensors& other) {
  EXPECT_EQ(one.size(), other.size());
  double largest = 0;
  for (const auto& [name, tensor] : one) {
    const at::Tensor apart = (tensor.to(at::kDouble) - other.at(name).to(at::kDouble)).abs();
    largest = std::max(largest, apart.max().item<double>());
  }
  return largest;
}

// Without dropout and with one batch norm for all, ranks are but another way to compute the same step, and so are two
// threads, which add in another order. One step: this network, on rows so few and so small, makes a thousand times more
// of a rounding error in each.
TEST_P(OnRanks, TrainAsOneProcessWithTheWholeBatch) {
  TrainOptions options = SmallRun(1);
  options.dropout = 0;
  options.optimizer = OptimizerKind::kSgd;
  options.learning_rate = 0.001;
  options.flip = 0.5;
  options.batch_size = kImages;
  options.checkpoint = "mem://c/start";
  Train(runtime_, Open(), nullptr, options);
  // Threads of one process share LibTorch's random numbers, so a model made by two of them is not that of one.
  options.weights = "mem://c/start/latest.json";
  options.checkpoint = "mem://c/alone";
  const TrainResult alone = Train(runtime_, Open(), nullptr, options);
  options.checkpoint = "mem://c/threads";
  options.threads = 2;
  Train(runtime_, Open(), nullptr, options);
  options.threads = 1;

  options.batch_size = static_cast<uint32_t>(kImages / GetParam());
  for (const bool together : {true, false}) {
    options.sync_batch_norm = together;
    options.checkpoint = together ? "mem://c/together" : "mem://c/each";
    const std::vector<TrainResult> ranks = TrainOn(GetParam(), options);
    nn::RethrowFirst(thrown_);
    for (const TrainResult& result : ranks) {
      EXPECT_EQ(result.steps, 1u);
      EXPECT_EQ(result.images, kImages);
      EXPECT_NEAR(result.last.loss, alone.last.loss, together ? 1e-5 : 1);
    }
  }
  const nn::NamedTensors expected = Saved("mem://c/alone");
  const double rounding = Distance(expected, Saved("mem://c/threads"));
  EXPECT_LE(Distance(expected, Saved("mem://c/together")), 10 * rounding + 1e-5);
  EXPECT_GT(Distance(expected, Saved("mem://c/each")), 20 * rounding)
      << "each normalising for itself would show";
}
INSTANTIATE_TEST_SUITE_P(Ranks, OnRanks, ::testing::Values(2, 4));

using OnTwoRanks = OnRanks;

TEST_F(OnTwoRanks, SeeEachRecordOnceAndJudgeAlike) {
  std::mutex mutex;
  std::map<uint64_t, std::multiset<uint64_t>> records;  // by epoch
  std::vector<std::vector<uint64_t>> validated(2);
  std::vector<std::vector<double>> accuracies(2);
  TrainOptions options = SmallRun(2);
  options.batch_size = 4;
  const auto observer = [&](size_t rank) {
    TrainObserver result;
    result.on_batch = [&](const Batch& batch) {
      const std::lock_guard lock(mutex);
      records[batch.epoch()].insert(batch.indices().begin(), batch.indices().end());
    };
    result.on_validation = [&, rank](const Predictions& predictions, const ClassificationReport&) {
      validated[rank] = predictions.indices;
    };
    result.on_epoch = [&, rank](const EpochReport& report) {
      accuracies[rank].push_back(report.validation_accuracy);
    };
    return result;
  };
  const std::vector<TrainResult> results = TrainOn(2, options, {}, observer, /*validate=*/true);
  nn::RethrowFirst(thrown_);
  const auto [train, validation] = Open().Split(0.7);
  for (uint64_t epoch = 0; epoch < 2; ++epoch) {
    EXPECT_EQ(records[epoch].size(), train.size() / 8 * 8);
    EXPECT_EQ(std::set(records[epoch].begin(), records[epoch].end()).size(), records[epoch].size());
  }
  std::vector<uint64_t> in_order(validation.size());
  for (uint64_t i = 0; i < validation.size(); ++i) in_order[i] = i;
  EXPECT_EQ(validated, (std::vector<std::vector<uint64_t>>{in_order, in_order}));
  EXPECT_EQ(accuracies[0], accuracies[1]);
  EXPECT_EQ(accuracies[0].size(), 2u);
  EXPECT_EQ(results[0].last.loss, results[1].last.loss);
}

TEST_F(OnTwoRanks, AStopOfOneIsAStopOfBothAndResumesOnOne) {
  TrainOptions options = SmallRun(2);
  options.batch_size = 4;
  options.checkpoint = "mem://c/run";
  std::stop_source stop;
  ::setenv("MASTER_ADDR", "127.0.0.1", 1);
  ::setenv("MASTER_PORT", nn::FreePort().c_str(), 1);
  std::vector<TrainResult> results(2);
  nn::RethrowFirst(nn::OnThreads(2, [&](size_t rank) {
    TrainOptions mine = options;
    mine.ranks = {.rank = rank, .world_size = 2};
    TrainObserver observer;
    observer.on_step = [&, rank](const TrainProgress& progress) {
      if (rank == 1 && progress.step == 2) stop.request_stop();
    };
    results[rank] =
        Train(runtime_, Open(), nullptr, mine, observer, rank == 1 ? stop.get_token() : std::stop_token());
  }));
  for (const TrainResult& result : results) {
    EXPECT_TRUE(result.stopped);
    EXPECT_EQ(result.steps, 3u);  // agreed on with the figures of the next step
  }

  options.resume = true;
  options.batch_size = 6;
  uint64_t resumed_at = 0;
  std::vector<std::pair<uint64_t, uint64_t>> places;
  TrainObserver observer;
  observer.on_resume = [&](uint64_t step, uint64_t) { resumed_at = step; };
  observer.on_batch = [&](const Batch& batch) { places.emplace_back(batch.epoch(), batch.position()); };
  Train(runtime_, Open(), nullptr, options, observer);
  EXPECT_EQ(resumed_at, 3u);
  EXPECT_EQ(places, (std::vector<std::pair<uint64_t, uint64_t>>{{1, 0}, {1, 6}, {1, 12}, {1, 18}}));
}

TEST_F(OnTwoRanks, MustAgree) {
  const std::pair<std::string, std::function<void(TrainOptions&)>> changes[] = {
      {"batch_size is 8 on rank 0 and 5 on rank 1", [](TrainOptions& options) { options.batch_size = 5; }},
      {"seed is 0 on rank 0 and 9 on rank 1", [](TrainOptions& options) { options.seed = 9; }},
      {"window is 0 on rank 0 and 3 on rank 1", [](TrainOptions& options) { options.window = 3; }},
      {"learning_rate is 0.001 on rank 0 and 0.1 on rank 1",
       [](TrainOptions& options) { options.learning_rate = 0.1; }},
      {"sync_batch_norm is false on rank 0 and true on rank 1",
       [](TrainOptions& options) { options.sync_batch_norm = true; }},
  };
  for (const auto& [says, change] : changes) {
    TrainOn(2, SmallRun(1), [&](size_t rank, TrainOptions& options) {
      if (rank == 1) change(options);
    });
    for (const std::exception_ptr& thrown : thrown_) {
      EXPECT_EQ(nn::ErrorIn(thrown).code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(nn::ErrorIn(thrown).message(), HasSubstr(says));
    }
  }
}

TEST_F(OnTwoRanks, MustHaveTheSameData) {
  ::setenv("MASTER_ADDR", "127.0.0.1", 1);
  ::setenv("MASTER_PORT", nn::FreePort().c_str(), 1);
  const auto thrown = nn::OnThreads(2, [&](size_t rank) {
    TrainOptions options = SmallRun(1);
    options.ranks = {.rank = rank, .world_size = 2};
    Train(runtime_, rank == 0 ? Open() : Open().Slice(0, 20), nullptr, options);
  });
  for (const std::exception_ptr& one : thrown) {
    EXPECT_THAT(nn::ErrorIn(one).message(), HasSubstr("fingerprint is "));
    EXPECT_THAT(nn::ErrorIn(one).message(), HasSubstr("bucketline index"));
  }
}

TEST_F(OnTwoRanks, AFailureOfOneIsTheErrorOfBoth) {
  const auto observer = [](size_t rank) {
    TrainObserver result;
    result.on_step = [rank](const TrainProgress& progress) {
      if (rank == 1 && progress.step == 1) throw Error(ErrorCode::kIo, "the disk is full");
    };
    return result;
  };
  TrainOn(2, SmallRun(2), {}, observer);
  EXPECT_EQ(nn::ErrorIn(thrown_[1]).message(), "the disk is full");
  EXPECT_EQ(nn::ErrorIn(thrown_[0]).code(), ErrorCode::kConnection);
  EXPECT_EQ(nn::ErrorIn(thrown_[0]).message(), "rank 1 ended: the disk is full");
}

TEST(RanksInOptions, WhatCannotBeIsRefused) {
  const auto refusal = [](const TrainOptions& options) {
    try {
      options.Validate();
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("it was taken");
  };
  EXPECT_THAT(refusal({.ranks = {.rank = 2, .world_size = 2}}), HasSubstr("rank 2 of 2"));
  EXPECT_THAT(refusal({.rank_timeout = std::chrono::milliseconds(1)}), HasSubstr("rank timeout"));
  EXPECT_THAT(refusal({.model = "net.pt", .sync_batch_norm = true}), HasSubstr("synchronised batch norm"));
  EXPECT_THAT(refusal({.sync_batch_norm = true, .on_error = OnError::kMask}), HasSubstr("masked"));
}

}  // namespace
}  // namespace bucketline
