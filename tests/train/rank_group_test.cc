// Ranks that meet, add up, share and part; their gradients' mean and their common batch norm.
#include "bucketline/train/nn/rank_group.h"

#include <atomic>
#include <latch>

#include "tests/train/several_ranks.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/http/loopback_server_test_util.h"
#include "bucketline/train/nn/gradient_averager.h"
#include "bucketline/train/nn/sync_batch_norm.h"

namespace bucketline::nn {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(RankGroup, SumsSharesAndGathers) {
  RethrowFirst(OnRanks(3, [](RankGroup& group) {
    EXPECT_EQ(group.size(), 3u);
    const auto mine = static_cast<double>(group.rank() + 1);
    const at::Tensor values = ::torch::full({5}, mine, at::kDouble);
    group.Sum(values)->Wait();
    EXPECT_TRUE(values.equal(::torch::full({5}, 6.0, at::kDouble)));

    const at::Tensor turned = ::torch::arange(6).reshape({2, 3}).to(at::kFloat).mul(mine).t();
    group.Broadcast({turned, ::torch::zeros({0})});
    EXPECT_TRUE(turned.equal(::torch::arange(6).reshape({2, 3}).to(at::kFloat).t()));

    EXPECT_EQ(group.Broadcast(group.root() ? std::string("from the first\0!", 16) : "not this"),
              std::string("from the first\0!", 16));
    EXPECT_EQ(group.Broadcast(group.root() ? "" : "not this"), "");
    EXPECT_THAT(group.Gather(std::string(group.rank(), 'x')), ::testing::ElementsAre("", "x", "xx"));
  }));
}

TEST(RankGroup, AnEndedRankIsAnErrorOfTheOthersAtOnce) {
  const auto thrown = OnRanks(
      2,
      [](RankGroup& group) {
        if (group.rank() == 1) return;  // its sockets close
        group.Sum(::torch::ones({1}))->Wait();
      },
      600s);
  EXPECT_EQ(ErrorIn(thrown[0]).code(), ErrorCode::kConnection);
  EXPECT_THAT(ErrorIn(thrown[0]).message(), HasSubstr("rank 0 has lost another rank"));
  EXPECT_THAT(ErrorIn(thrown[0]).message(), HasSubstr("resume"));
}

TEST(RankGroup, ALastWordReachesTheOthers) {
  const auto thrown = OnRanks(2, [](RankGroup& group) {
    if (group.rank() == 1) {
      group.Fail("the disk is full");
      group.Fail("and then this");
      return;
    }
    group.Sum(::torch::ones({1}))->Wait();
  });
  EXPECT_EQ(ErrorIn(thrown[0]).code(), ErrorCode::kConnection);
  EXPECT_EQ(ErrorIn(thrown[0]).message(), "rank 1 ended: the disk is full");
}

TEST(RankGroup, ARankThatHangsIsATimeout) {
  std::latch done(1);
  const auto thrown = OnRanks(
      2,
      [&](RankGroup& group) {
        if (group.rank() == 1) {
          done.wait();
          return;
        }
        try {
          group.Sum(::torch::ones({1}))->Wait();
        } catch (...) {
          done.count_down();
          throw;
        }
        done.count_down();
      },
      5s);  // which is also what the two have to meet
  EXPECT_EQ(ErrorIn(thrown[0]).code(), ErrorCode::kTimeout);
  EXPECT_THAT(ErrorIn(thrown[0]).message(), HasSubstr("rank 0 has waited 5 s for the other ranks"));
}

TEST(JoinRanks, NeedsAPlaceToMeetAt) {
  const auto refusal = [](const std::string& address, const std::string& port) {
    try {
      JoinRanks({.rank = 1, .world_size = 2}, 1s, [&](const std::string& name) -> std::optional<std::string> {
        const std::string& value = name == "MASTER_ADDR" ? address : name == "MASTER_PORT" ? port : "";
        return value.empty() ? std::nullopt : std::optional(value);
      });
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kInternal, "they met");
  };
  EXPECT_THAT(refusal("", "1").message(), HasSubstr("MASTER_ADDR is not set"));
  EXPECT_THAT(refusal("127.0.0.1", "").message(), HasSubstr("MASTER_PORT is not set"));
  for (const char* port : {"0", "65536", "x", "12x"}) {
    EXPECT_EQ(refusal("127.0.0.1", port).code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(refusal("127.0.0.1", port).message(), HasSubstr("which is no port"));
  }
  const ClosedPort closed;
  const Error nobody = refusal("127.0.0.1", std::to_string(closed.port()));
  EXPECT_EQ(nobody.code(), ErrorCode::kTimeout);
  EXPECT_THAT(nobody.message(), HasSubstr("rank 1 of 2 cannot meet the others at 127.0.0.1:"));
}

// Two layers, of which the second is used by some batches only.
struct Net {
  ::torch::nn::Conv2d first{::torch::nn::Conv2dOptions(3, 4, 3)};
  ::torch::nn::Linear second{4, 2};

  Net() {
    const ::torch::NoGradGuard no_grad;
    int64_t seed = 0;
    for (const auto& [name, parameter] : Parameters()) {
      at::Tensor target = parameter;
      target.copy_(::torch::arange(parameter.numel()).reshape(parameter.sizes()).add(++seed).sin());
    }
    UseChannelsLast(first->parameters());
  }
  NamedParameters Parameters() {
    return {{"a", first->weight}, {"b", first->bias}, {"c", second->weight}, {"d", second->bias}};
  }
  at::Tensor Loss(const at::Tensor& images, bool whole = true) {
    const at::Tensor features = first(images).mean({2, 3});
    return (whole ? second(features) : features).square().mean();
  }
  std::vector<at::Tensor> Gradients() {
    std::vector<at::Tensor> gradients;
    for (const auto& [name, parameter] : Parameters()) gradients.push_back(parameter.grad());
    return gradients;
  }
};

at::Tensor Images(size_t rank, int64_t rows = 4) {
  return ::torch::arange(rows * 3 * 6 * 6)
      .add(static_cast<int64_t>(rank) * 1000)
      .reshape({rows, 3, 6, 6})
      .mul(0.37)
      .cos();
}

void ExpectClose(const std::vector<at::Tensor>& actual, const std::vector<at::Tensor>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].defined(), expected[i].defined()) << i;
    if (!actual[i].defined()) continue;
    EXPECT_TRUE(actual[i].allclose(expected[i], 1e-5, 1e-7)) << i;
  }
}

class GradientsOfRanks : public ::testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Ranks, GradientsOfRanks, ::testing::Values(2, 4));

TEST_P(GradientsOfRanks, AreThoseOfTheWholeBatchInOneProcess) {
  Net alone;
  std::vector<at::Tensor> all;
  for (size_t rank = 0; rank < GetParam(); ++rank) all.push_back(Images(rank));
  alone.Loss(at::cat(all)).backward();
  for (const size_t bucket_bytes : {size_t{1}, size_t{64}, GradientAverager::kBucketBytes}) {
    RethrowFirst(OnRanks(GetParam(), [&](RankGroup& group) {
      Net net;
      GradientAverager averager(group, net.Parameters(), bucket_bytes);
      EXPECT_EQ(averager.buckets(), bucket_bytes == 1 ? 4u : bucket_bytes == 64 ? 2u : 1u);
      for (int step = 0; step < 2; ++step) {  // what is left of the first does not matter to the second
        for (const auto& [name, parameter] : net.Parameters()) parameter.mutable_grad() = at::Tensor();
        averager.Begin(1);
        net.Loss(Images(group.rank())).backward();
        EXPECT_TRUE(averager.Finish());
        EXPECT_EQ(averager.overlapped(), averager.buckets());
        ExpectClose(net.Gradients(), alone.Gradients());
      }
      EXPECT_TRUE(net.first->weight.grad().is_contiguous(at::MemoryFormat::ChannelsLast));
    }));
  }
}

TEST(GradientAverager, RanksWeighAsMuchAsTheirRows) {
  Net alone;
  alone.Loss(at::cat({Images(0, 4), Images(1, 1)})).backward();
  RethrowFirst(OnRanks(3, [&](RankGroup& group) {
    Net net;
    GradientAverager averager(group, net.Parameters());
    const int64_t rows = group.rank() == 0 ? 4 : group.rank() == 1 ? 1 : 0;  // the last one has none
    averager.Begin(static_cast<double>(rows) / 4);
    if (rows > 0) net.Loss(Images(group.rank(), rows)).backward();
    EXPECT_TRUE(averager.Finish());
    ExpectClose(net.Gradients(), alone.Gradients());
    averager.Begin(0);
    EXPECT_FALSE(averager.Finish()) << "nobody had rows";
  }));
}

TEST(GradientAverager, AParameterThatOnlySomeUseCountsAsZeroOnTheOthers) {
  RethrowFirst(OnRanks(2, [&](RankGroup& group) {
    Net net, first_only, both;
    first_only.Loss(Images(0), false).backward();
    both.Loss(Images(1)).backward();
    GradientAverager averager(group, net.Parameters(), 1);
    averager.Begin(1);
    net.Loss(Images(group.rank()), group.rank() == 1).backward();
    EXPECT_TRUE(averager.Finish());
    std::vector<at::Tensor> expected;
    for (const auto& [name, parameter] : both.Parameters()) expected.push_back(parameter.grad() / 2);
    expected[0] = expected[0] + first_only.first->weight.grad() / 2;
    expected[1] = expected[1] + first_only.first->bias.grad() / 2;
    ExpectClose(net.Gradients(), expected);

    for (const auto& [name, parameter] : net.Parameters()) parameter.mutable_grad() = at::Tensor();
    averager.Begin(1);
    net.Loss(Images(group.rank()), false).backward();
    averager.Finish();
    EXPECT_FALSE(net.second->weight.grad().defined()) << "nobody used it";
  }));
}

TEST(GradientAverager, StepsDoNotNest) {
  RethrowFirst(OnRanks(1, [&](RankGroup& group) {
    Net net;
    GradientAverager averager(group, net.Parameters());
    EXPECT_THROW(averager.Finish(), Error);
    averager.Begin(1);
    EXPECT_THROW(averager.Begin(1), Error);
  }));
}

class BatchNormOfRanks : public ::testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Ranks, BatchNormOfRanks, ::testing::Values(1, 2, 4));

TEST_P(BatchNormOfRanks, IsThatOfTheWholeBatch) {
  const size_t count = GetParam();
  const auto rows = [](size_t rank) { return Images(rank, 3) * 2 + 5; };
  const auto prepare = [](::torch::nn::BatchNorm2dImpl& norm) {
    const ::torch::NoGradGuard no_grad;
    norm.weight.copy_(::torch::tensor({0.5, 1.5, -1.0}));
    norm.bias.copy_(::torch::tensor({0.1, -0.2, 0.3}));
  };
  const auto objective = [](const at::Tensor& out) { return (out * out.cos()).mean(); };
  ::torch::nn::BatchNorm2d alone(3);
  prepare(*alone);
  std::vector<at::Tensor> all;
  for (size_t rank = 0; rank < count; ++rank) all.push_back(rows(rank));
  at::Tensor whole = at::cat(all).requires_grad_();
  const at::Tensor expected = alone(whole);
  objective(expected).backward();

  RethrowFirst(OnRanks(count, [&](RankGroup& group) {
    BatchNorm norm(3, &group);
    prepare(*norm);
    at::Tensor x = rows(group.rank()).requires_grad_();
    const at::Tensor out = norm(x);
    const auto first = static_cast<int64_t>(group.rank()) * 3;
    EXPECT_TRUE(out.allclose(expected.narrow(0, first, 3), 1e-4, 1e-5));
    objective(out).backward();
    // Of the mean over ranks, as of all gradients.
    EXPECT_TRUE(
        (x.grad() / static_cast<double>(count)).allclose(whole.grad().narrow(0, first, 3), 1e-3, 1e-6));
    const at::Tensor sums = at::cat({norm->weight.grad(), norm->bias.grad()});
    group.Sum(sums)->Wait();
    EXPECT_TRUE((sums / static_cast<double>(count))
                    .allclose(at::cat({alone->weight.grad(), alone->bias.grad()}), 1e-3, 1e-5));
    EXPECT_TRUE(norm->running_mean.allclose(alone->running_mean, 1e-5, 1e-6));
    EXPECT_TRUE(norm->running_var.allclose(alone->running_var, 1e-5, 1e-6));
    EXPECT_EQ(norm->num_batches_tracked.item<int64_t>(), 1);
    norm->eval();
    alone->eval();
    EXPECT_TRUE(norm(rows(0)).allclose(alone(rows(0)), 1e-4, 1e-5));
  }));
}

}  // namespace
}  // namespace bucketline::nn
