#include "bucketline/store/list_schedule.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"
#include "bucketline/store/list_estimate.h"
#include "bucketline/store/list_page.h"

namespace bucketline {
namespace {

class SetCursor : public KeyCursor {
 public:
  explicit SetCursor(const std::set<std::string>& keys) : keys_(keys) {}
  std::optional<ObjectInfo> Seek(const std::string& from) override {
    const auto it = keys_.lower_bound(from);
    if (it == keys_.end()) return std::nullopt;
    ObjectInfo object;
    object.key = *it;
    return object;
  }

 private:
  const std::set<std::string>& keys_;
};

struct Cost {
  size_t keys = 0;
  size_t requests = 0;
  size_t rounds = 0;  // of requests that all take equally long
  // What was told of all keys, as a share of them, and the share that was listed when that began.
  double least_told = 1;
  double most_told = 1;
  double told_from = 1;
};

// A listing whose answers are taken one at a time, and what is told of its end.
class Listing {
 public:
  Listing(const std::set<std::string>& keys, size_t width, int page_keys)
      : keys_(keys), page_keys_(page_keys), schedule_("p/", {KeyRange()}, width, page_keys) {}

  // All that may be asked now.
  void AskInto(std::vector<ListSchedule::Ask>& asked) {
    while (std::optional<ListSchedule::Ask> ask = schedule_.Next()) {
      asked.push_back(*std::move(ask));
      ++cost_.requests;
    }
  }

  void Answer(const ListSchedule::Ask& ask) {
    SetCursor cursor(keys_);
    ListPage page = MakeListPage({.prefix = ask.prefix,
                                  .delimiter = ask.folders ? "/" : "",
                                  .start_after = ask.start_after,
                                  .token = ask.token,
                                  .max_keys = ask.folders ? 1000 : page_keys_},
                                 cursor);
    if (ask.folders) {
      schedule_.TakeFolders(ask.id, page);
    } else {
      cost_.keys += schedule_.TakePage(ask.id, std::move(page)).objects.size();
      TakeEstimate();
    }
  }

  Cost& cost() { return cost_; }

 private:
  void TakeEstimate() {
    const double pages = static_cast<double>(cost_.keys) / page_keys_;
    const std::optional<double> left = estimate_.Take(pages, schedule_.PagesLeft());
    if (!left) return;
    const auto all = static_cast<double>(keys_.size());
    const double whole = (pages + *left) * page_keys_ / all;
    cost_.least_told = std::min(cost_.least_told, whole);
    cost_.most_told = std::max(cost_.most_told, whole);
    cost_.told_from = std::min(cost_.told_from, static_cast<double>(cost_.keys) / all);
  }

  const std::set<std::string>& keys_;
  const int page_keys_;
  ListSchedule schedule_;
  ListEstimate estimate_;
  Cost cost_;
};

Cost CostOf(const std::set<std::string>& keys, size_t width, int page_keys) {
  Listing listing(keys, width, page_keys);
  for (;;) {
    std::vector<ListSchedule::Ask> round;
    listing.AskInto(round);
    if (round.empty()) return listing.cost();
    EXPECT_LE(round.size(), width);
    ++listing.cost().rounds;
    for (const ListSchedule::Ask& ask : round) listing.Answer(ask);
  }
}

// The same where any request that is under way is answered next.
Cost CostInAnyOrder(const std::set<std::string>& keys, size_t width, int page_keys, uint64_t seed) {
  Listing listing(keys, width, page_keys);
  CounterRng rng(seed, 0, 0);
  std::vector<ListSchedule::Ask> under_way;
  for (;;) {
    listing.AskInto(under_way);
    if (under_way.empty()) return listing.cost();
    std::swap(under_way[rng.NextBelow(under_way.size())], under_way.back());
    const ListSchedule::Ask ask = std::move(under_way.back());
    under_way.pop_back();
    listing.Answer(ask);
  }
}

// What a listing of 1,000 pages may cost, at 32 requests a time: 32 rounds would be perfect, 1,000 is serial.
TEST(ListSchedule, ManyRequestsAreUnderWayAndFewAreWasted) {
  std::map<std::string, std::set<std::string>> shapes;
  for (int i = 0; i < 20000; ++i) {
    const uint64_t draw = Mix64(static_cast<uint64_t>(i));
    shapes["counted"].insert(fmt::format("p/img_{:08}.jpg", i));
    shapes["counted without zeros"].insert(fmt::format("p/{}.jpg", i));
    shapes["hexadecimal"].insert(fmt::format("p/{:016x}", draw));
    shapes["folders"].insert(fmt::format("p/n{:08}/n_{}.JPEG", 1440764 + 37 * (i / 40), draw % 1000000));
    shapes["two folders"].insert(fmt::format("p/{}/images/{:07}.jpg", i % 20 == 0 ? "test" : "train", i));
    shapes["far below"].insert(fmt::format("p/data/2024/experiment-42/images/{:07}.jpg", i));
    shapes["dates"].insert(
        fmt::format("p/2024/{:02}/{:02}/{:08x}", 1 + i / 2000, 1 + i / 75 % 28, draw >> 32));
    shapes["beyond ASCII"].insert(fmt::format("p/bild-\xc3\xa4{:06}.jpg", i));
  }
  for (const auto& [name, keys] : shapes) {
    const Cost cost = CostOf(keys, 32, 20);
    EXPECT_EQ(cost.keys, 20000u);
    EXPECT_LE(cost.requests, 1200u) << name;
    EXPECT_LE(cost.rounds, 80u) << name;
  }
}

// How well the rest is known, of keys that fill their space evenly and of others. 2,000 pages each.
TEST(ListSchedule, WhatIsLeftIsToldOnceItIsAboutRight) {
  std::map<std::string, std::set<std::string>> even;
  std::map<std::string, std::set<std::string>> uneven;
  for (int i = 0; i < 40000; ++i) {
    const uint64_t draw = Mix64(static_cast<uint64_t>(i));
    even["counted"].insert(fmt::format("p/img_{:08}.jpg", i));
    even["hexadecimal"].insert(fmt::format("p/{:016x}", draw));
    even["far below"].insert(fmt::format("p/data/2024/experiment-42/images/{:07}.jpg", i));
    even["beyond ASCII"].insert(fmt::format("p/bild-\xc3\xa4{:06}.jpg", i));
    uneven["counted without zeros"].insert(fmt::format("p/{}.jpg", i));
    uneven["dates"].insert(
        fmt::format("p/2024/{:02}/{:02}/{:08x}", 1 + i / 4000, 1 + i / 150 % 28, draw >> 32));
    uneven["folders"].insert(fmt::format("p/n{:08}/n_{}.JPEG", 1440764 + 37 * (i / 40), draw % 1000000));
    uneven["most in one folder"].insert(
        fmt::format("p/{:c}/{:06}.jpg", 'a' + static_cast<char>(draw % 100 < 70 ? 3 : draw % 26), i));
  }
  for (const auto& [name, keys] : even) {
    const Cost cost = CostOf(keys, 32, 20);
    EXPECT_LE(cost.told_from, 0.2) << name;
    EXPECT_GE(cost.least_told, 0.8) << name;
    EXPECT_LE(cost.most_told, 1.25) << name;
  }
  for (const auto& [name, keys] : uneven) {
    const Cost cost = CostOf(keys, 32, 20);
    EXPECT_GE(cost.least_told, 0.5) << name;
    EXPECT_LE(cost.most_told, 3.0) << name;
  }
}

// Where some requests wait for long, less is told, and it is as right.
TEST(ListSchedule, WhatIsLeftIsToldInWhateverOrderAnswersCome) {
  for (const int pages : {200, 1000}) {
    std::set<std::string> counted, hexadecimal;
    for (int i = 0; i < pages * 20; ++i) {
      counted.insert(fmt::format("p/img_{:08}.jpg", i));
      hexadecimal.insert(fmt::format("p/{:016x}", Mix64(static_cast<uint64_t>(i))));
    }
    for (const std::set<std::string>* keys : {&counted, &hexadecimal}) {
      for (uint64_t seed = 0; seed < 10; ++seed) {
        const Cost cost = CostInAnyOrder(*keys, 32, 20, seed);
        EXPECT_EQ(cost.keys, keys->size());
        EXPECT_LE(cost.told_from, pages == 1000 ? 0.3 : 1.0) << pages << ", " << seed;
        EXPECT_GE(cost.least_told, 0.8) << pages << ", " << seed;
        EXPECT_LE(cost.most_told, 1.3) << pages << ", " << seed;
      }
    }
  }
}

TEST(ListEstimate, SaysNothingWhileItChangesItsMind) {
  ListEstimate estimate;
  const auto take = [&](double done, double whole) { return estimate.Take(done, whole - done); };
  for (int i = 1; i < 64; ++i) EXPECT_EQ(take(i, 1000), std::nullopt) << i;
  for (int i = 64; i < 200; ++i) EXPECT_EQ(take(i, 1000), 1000 - i);
  EXPECT_EQ(take(200, 2000), std::nullopt);  // there is more than it seemed
  for (int i = 201; i < 512; ++i) EXPECT_EQ(take(i, 2000), std::nullopt) << i;
  EXPECT_EQ(take(512, 2000), 1488);
  EXPECT_EQ(estimate.Take(513, std::nullopt), std::nullopt);
  EXPECT_EQ(take(514, 2000), std::nullopt) << "what was not known may be anything";
}

TEST(ListSchedule, OneRequestAtATimeIsTheSerialListing) {
  std::set<std::string> keys;
  for (int i = 0; i < 1001; ++i) keys.insert(fmt::format("p/{}/{:04}", i % 3, i));
  const Cost cost = CostOf(keys, 1, 10);
  EXPECT_EQ(cost.requests, 101u);
  EXPECT_EQ(cost.keys, 1001u);
}

}  // namespace
}  // namespace bucketline
