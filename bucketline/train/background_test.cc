#include "bucketline/train/background.h"

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using ::testing::ElementsAre;

TEST(Background, StartReturnsWhileTheTaskRuns) {
  Background background("bl-test");
  EXPECT_FALSE(background.busy());
  std::promise<void> go;
  std::atomic<bool> ran = false;
  background.Start([&] {
    go.get_future().wait();
    ran = true;
  });
  EXPECT_TRUE(background.busy());
  EXPECT_FALSE(ran);
  background.Check();  // does not wait
  go.set_value();
  background.Wait();
  EXPECT_TRUE(ran);
  EXPECT_FALSE(background.busy());
}

TEST(Background, TasksRunOneByOneInOrder) {
  Background background("bl-test");
  std::vector<int> order;  // no lock: two tasks at once would be a data race
  for (int i = 0; i < 5; ++i) background.Start([&order, i] { order.push_back(i); });
  background.Wait();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4));
}

TEST(Background, AFailureIsThrownOnceByTheNextCall) {
  Background background("bl-test");
  const auto fail = [] { throw std::runtime_error("full"); };
  background.Start(fail);
  EXPECT_THROW(background.Wait(), std::runtime_error);
  EXPECT_NO_THROW(background.Wait());

  background.Start(fail);
  bool ran = false;
  EXPECT_THROW(background.Start([&] { ran = true; }), std::runtime_error);
  background.Wait();
  EXPECT_FALSE(ran);

  std::promise<void> ended;
  background.Start(fail);
  while (background.busy()) std::this_thread::yield();
  EXPECT_THROW(background.Check(), std::runtime_error);
  EXPECT_NO_THROW(background.Check());
}

TEST(Background, TheDestructorLetsTheTaskEnd) {
  std::atomic<bool> ran = false;
  std::promise<void> go;
  {
    Background background("bl-test");
    background.Start([&] {
      go.get_future().wait();
      ran = true;
    });
    go.set_value();
  }
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace bucketline
