#include "bucketline/inspect/shuffle_quality.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

// Records in shards of ten, ten shards to a class.
struct Lying {
  explicit Lying(uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) {
      shard_of.push_back(i / 10);
      class_of.push_back(i / 100);
    }
  }
  OrderQuality Measure(const std::vector<uint64_t>& order, uint64_t batch) const {
    return MeasureOrder(shard_of, class_of, batch, [&](uint64_t position) { return order[position]; });
  }
  std::vector<uint32_t> shard_of;
  std::vector<uint32_t> class_of;
};

std::vector<uint64_t> Sequential(uint64_t n) {
  std::vector<uint64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

// As the header says it, without what makes it quick.
double PlainImbalance(const std::vector<uint32_t>& class_of, const std::vector<uint64_t>& order,
                      uint64_t batch) {
  const auto n = static_cast<double>(class_of.size());
  const auto rows = static_cast<double>(batch);
  std::map<uint32_t, double> share;
  for (const uint32_t label : class_of) share[label] += 1 / n;
  double sum = 0;
  uint64_t batches = 0;
  for (uint64_t first = 0; first + batch <= order.size(); first += batch, ++batches) {
    std::map<uint32_t, double> seen;
    for (uint64_t i = first; i < first + batch; ++i) seen[class_of[order[i]]] += 1;
    for (const auto& [label, p] : share) sum += std::pow(seen[label] - rows * p, 2) / (rows * p);
  }
  const double uniform = (static_cast<double>(share.size()) - 1) * (n - rows) / (n - 1);
  return sum / static_cast<double>(batches) / uniform;
}

TEST(ShuffleQuality, OfASequenceIsKnown) {
  const Lying data(1000);
  const OrderQuality quality = data.Measure(Sequential(1000), 20);
  EXPECT_DOUBLE_EQ(quality.same_shard, 900.0 / 999);  // 9 of 10 in each of 100 shards
  EXPECT_DOUBLE_EQ(quality.displacement, 0);
  // One class of ten in each batch: chi-square 20 * 9, over 9 * 980 / 999.
  EXPECT_NEAR(*quality.label_imbalance, 20.0 * 999 / 980, 1e-9);
}

TEST(ShuffleQuality, OfAReversedSequenceIsKnown) {
  const Lying data(1000);
  std::vector<uint64_t> order = Sequential(1000);
  std::ranges::reverse(order);
  EXPECT_DOUBLE_EQ(data.Measure(order, 20).displacement, 0.5);
}

TEST(ShuffleQuality, OfEvenBatchesIsZero) {
  const Lying data(1000);
  std::vector<uint64_t> order;
  for (uint64_t i = 0; i < 1000; ++i) order.push_back(i % 10 * 100 + i / 10);
  const OrderQuality quality = data.Measure(order, 20);
  EXPECT_NEAR(*quality.label_imbalance, 0, 1e-9);
  EXPECT_DOUBLE_EQ(quality.same_shard, 0);
}

TEST(ShuffleQuality, OfRandomOrdersIsThatOfAUniformOneOnAverage) {
  const Lying data(1000);
  const OrderQuality uniform = UniformOrder(data.shard_of, data.class_of);
  EXPECT_DOUBLE_EQ(uniform.same_shard, 9.0 / 999);
  EXPECT_NEAR(uniform.displacement, 1.0 / 3, 1e-6);
  EXPECT_EQ(uniform.label_imbalance, 1);
  std::mt19937_64 random(1);
  std::vector<uint64_t> order = Sequential(1000);
  OrderQuality mean{.label_imbalance = 0};
  constexpr int kOrders = 1000;
  for (int i = 0; i < kOrders; ++i) {
    std::ranges::shuffle(order, random);
    const OrderQuality quality = data.Measure(order, 20);
    mean.same_shard += quality.same_shard / kOrders;
    mean.displacement += quality.displacement / kOrders;
    *mean.label_imbalance += *quality.label_imbalance / kOrders;
  }
  // Five deviations of a mean of 1000: of 9 neighbours of 999 in a thousand orders, of displacements, of 50 chi-squares
  // of 9 degrees each.
  EXPECT_NEAR(mean.same_shard, uniform.same_shard, 5 * std::sqrt(9.0 * 1e-3) / 999);
  EXPECT_NEAR(mean.displacement, uniform.displacement, 5 * 0.01 / std::sqrt(1000.0));
  EXPECT_NEAR(*mean.label_imbalance, 1, 5 * std::sqrt(2.0 / 9 / 50 / 1000));
}

TEST(ShuffleQuality, IsThatOfAPlainComputation) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 100; ++round) {
    Lying data(0);
    const uint64_t n = 20 + random() % 300;
    for (uint64_t i = 0; i < n; ++i) {
      data.shard_of.push_back(static_cast<uint32_t>(random() % 7));
      data.class_of.push_back(static_cast<uint32_t>(i < 4 ? i % 2 : random() % (2 + n / 30)));
    }
    std::vector<uint64_t> order = Sequential(n);
    std::ranges::shuffle(order, random);
    const uint64_t batch = 1 + random() % 10;
    const OrderQuality quality = data.Measure(order, batch);
    EXPECT_NEAR(*quality.label_imbalance, PlainImbalance(data.class_of, order, batch), 1e-9);
    double same = 0, moved = 0;
    for (uint64_t i = 0; i < n; ++i) {
      same += i > 0 && data.shard_of[order[i]] == data.shard_of[order[i - 1]];
      moved += std::abs(static_cast<double>(order[i]) - static_cast<double>(i));
    }
    EXPECT_NEAR(quality.same_shard, same / static_cast<double>(n - 1), 1e-12);
    EXPECT_NEAR(quality.displacement, moved / static_cast<double>(n) / static_cast<double>(n), 1e-12);
  }
}

TEST(ShuffleQuality, LabelsCannotAlwaysBeJudged) {
  const std::vector<uint32_t> shards(8, 0);
  const auto imbalance = [&](const std::vector<uint32_t>& classes, uint64_t batch) {
    return MeasureOrder(shards, classes, batch, [](uint64_t i) { return i; }).label_imbalance;
  };
  EXPECT_FALSE(imbalance({}, 2));
  EXPECT_FALSE(imbalance(std::vector<uint32_t>(8, 3), 2));
  EXPECT_FALSE(imbalance({0, 1, 0, 1, 0, 1, 0, 1}, 5));
  EXPECT_TRUE(imbalance({0, 1, 0, 1, 0, 1, 0, 1}, 4));
  EXPECT_FALSE(UniformOrder(shards, {}).label_imbalance);
  EXPECT_EQ(UniformOrder(std::vector<uint32_t>{0}, {}).same_shard, 0);
}

class ShuffleOfADataset : public ::testing::Test {
 protected:
  // Raw objects, whose classes stand one after the other: 12 blocks of 64, three to a class.
  ShuffleOfADataset() {
    for (int i = 0; i < 768; ++i) {
      bucket_.Put(std::string(1, static_cast<char>('a' + i / 192)) + "/" + std::to_string(1000 + i) + ".jpg",
                  "x");
    }
  }
  ShuffleReport Measure(uint64_t window, Labels labels = Labels::Folder()) {
    return MeasureShuffle(bucket_.Open("mem://data/", {.labels = std::move(labels)}),
                          {.batch_size = 16, .window = window, .seed = 3});
  }
  Bucket bucket_;
};

TEST_F(ShuffleOfADataset, OrdersAreToldApart) {
  const ShuffleReport report = Measure(4);
  EXPECT_EQ(report.records, 768u);
  EXPECT_EQ(report.shards, 12u);
  EXPECT_EQ(report.classes, 4u);
  EXPECT_EQ(report.batches, 48u);
  EXPECT_NEAR(*report.none.label_imbalance, 16, 0.5);
  EXPECT_LT(*report.global.label_imbalance, 1.5);
  EXPECT_GT(*report.window.label_imbalance, *report.global.label_imbalance);
  EXPECT_LT(*report.window.label_imbalance, *report.none.label_imbalance);
  // Within a window of 4 of 12 shards, neighbours are of one shard three times as often.
  EXPECT_NEAR(report.window.same_shard / report.uniform.same_shard, 3, 0.5);
  EXPECT_NEAR(report.global.same_shard / report.uniform.same_shard, 1, 0.35);
  EXPECT_EQ(report.none.displacement, 0);
  EXPECT_NEAR(report.global.displacement, 1.0 / 3, 0.05);
}

TEST_F(ShuffleOfADataset, TheVerdictSaysWhatToDo) {
  EXPECT_THAT(Measure(1).verdict, HasSubstr("with a window of 1 shard the classes of a batch are 1"));
  EXPECT_THAT(Measure(1).verdict, HasSubstr("shuffle all of them"));
  EXPECT_THAT(Measure(12).verdict, HasSubstr("a window of 12 shards holds all 12 there are"));
  EXPECT_THAT(Measure(4, Labels::None()).verdict, HasSubstr("give --labels"));
}

TEST(ShuffleVerdict, IsByLabelsBeyondChance) {
  const auto verdict = [](double none, double window, uint64_t batches) {
    ShuffleReport report{.records = 10000, .shards = 100, .classes = 3, .batches = batches};
    report.none.label_imbalance = none;
    report.window.label_imbalance = window;
    return ShuffleVerdict(report, {});
  };
  EXPECT_THAT(verdict(20, 1.05, 10000), HasSubstr("a window of 16 shards mixes the classes as evenly"));
  EXPECT_THAT(verdict(20, 1.05, 10000), HasSubstr("20.0 times as uneven"));
  EXPECT_THAT(verdict(20, 1.5, 10000), HasSubstr("1.5 times as uneven"));
  EXPECT_THAT(verdict(1.02, 1.01, 10000), HasSubstr("evenly mixed as they lie"));
  EXPECT_THAT(verdict(20, 1.5, 10), HasSubstr("as evenly")) << "ten batches say little";
}

TEST_F(ShuffleOfADataset, IsChecked) {
  const Dataset dataset = bucket_.Open("mem://data/");
  EXPECT_THAT(ErrorOf([&] { MeasureShuffle(dataset, {.batch_size = 0}); }).what(),
              HasSubstr("a batch is of at least"));
  EXPECT_THAT(ErrorOf([&] { MeasureShuffle(dataset, {.window = 0}); }).what(),
              HasSubstr("a window is of at least"));
  EXPECT_THAT(ErrorOf([&] { MeasureShuffle(dataset.Slice(0, 0), {}); }).what(), HasSubstr("there are 0"));
}

}  // namespace
}  // namespace bucketline
