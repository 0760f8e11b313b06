#include "bucketline/exec/timer.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;
using testing::ElementsAre;

constexpr auto kDeadline = 120s;

// Holds the timer's thread in a callback until opened (or the deadline), so that a test can arrange what
// comes next.
class Gate {
 public:
  explicit Gate(Timer& timer) {
    // The callback shares the state: it may still run when the gate is gone.
    id_ = timer.After(-1000h, [state = state_](bool) {
      state->entered.set_value();
      state->open.get_future().wait_for(kDeadline);
    });
    EXPECT_EQ(state_->entered.get_future().wait_for(kDeadline), std::future_status::ready);
  }
  ~Gate() { Open(); }
  void Open() {
    if (!opened_) state_->open.set_value();
    opened_ = true;
  }
  Timer::Id id() const { return id_; }

 private:
  struct State {
    std::promise<void> entered;
    std::promise<void> open;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  bool opened_ = false;
  Timer::Id id_ = 0;
};

// The `fired` of one callback; waits for it. Made before its timer, so that it outlives the callback.
class Heard {
 public:
  std::function<void(bool)> Callback() {
    return [this](bool fired) { promise_.set_value(fired); };
  }
  std::optional<bool> Get() {
    if (future_.wait_for(kDeadline) != std::future_status::ready) return std::nullopt;
    return future_.get();
  }
  bool Ready() { return future_.wait_for(0s) == std::future_status::ready; }

 private:
  std::promise<bool> promise_;
  std::future<bool> future_ = promise_.get_future();
};

TEST(Timer, CallsBackOnceNotBeforeItsTime) {
  Heard heard;
  Timer timer;
  const SteadyTime start = Clock::Real().Now();
  timer.After(20ms, heard.Callback());
  EXPECT_EQ(heard.Get(), true);
  EXPECT_GE(Clock::Real().Now() - start, 20ms);
  timer.Stop();  // a second call would throw in promise::set_value
}

TEST(Timer, OrderIsThatOfTheDueTimes) {
  std::vector<int> order;
  Heard last;
  Timer timer;
  Gate gate(timer);
  // Hours in the past, so that the order does not depend on how fast these lines run.
  timer.After(-1h, [&](bool) { order.push_back(3); });
  timer.After(-3h, [&](bool) { order.push_back(1); });
  timer.After(-2h, [&](bool) { order.push_back(2); });
  timer.After(0s, [&](bool) { order.push_back(4); });
  timer.After(0s, last.Callback());
  gate.Open();
  EXPECT_EQ(last.Get(), true);
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
}

TEST(Timer, AnEarlierCallIsNotHeldUpByALaterOne) {
  Heard later;
  Heard sooner;
  Timer timer;
  timer.After(1h, later.Callback());
  timer.After(1ms, sooner.Callback());
  EXPECT_EQ(sooner.Get(), true);
  EXPECT_FALSE(later.Ready());
  timer.Stop();
  EXPECT_EQ(later.Get(), false);
}

TEST(Timer, TheLongestDelayDoesNotWrapIntoThePast) {
  Heard never;
  Heard soon;
  Timer timer;
  timer.After(Duration::max(), never.Callback());
  timer.After(1ms, soon.Callback());
  EXPECT_EQ(soon.Get(), true);
  EXPECT_FALSE(never.Ready());
  timer.Stop();
  EXPECT_EQ(never.Get(), false);
}

TEST(Timer, StopCallsWhatIsPendingWithFalseInOrderOnTheTimersThread) {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  Timer timer;
  auto note = [&](int number) {
    return [&, number](bool fired) {
      order.push_back(fired ? -number : number);
      threads.push_back(std::this_thread::get_id());
    };
  };
  timer.After(2h, note(2));
  timer.After(3h, note(3));
  timer.After(1h, note(1));
  timer.Stop();
  timer.Stop();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_THAT(threads, testing::Each(testing::Ne(std::this_thread::get_id())));
}

TEST(Timer, AfterStopItCallsBackWithFalseAtOnceOnTheCallingThread) {
  Timer timer;
  timer.Stop();
  std::optional<bool> fired;
  std::thread::id thread;
  const Timer::Id id = timer.After(0s, [&](bool value) {
    fired = value;
    thread = std::this_thread::get_id();
  });
  EXPECT_EQ(fired, false);
  EXPECT_EQ(thread, std::this_thread::get_id());
  EXPECT_FALSE(timer.Cancel(id));
}

TEST(Timer, TheDestructorStops) {
  Heard heard;
  {
    Timer().After(1h, heard.Callback());
  }
  EXPECT_EQ(heard.Get(), false);
}

TEST(Timer, CancelMeansItNeverRunsAndItsCapturesAreGone) {
  Timer timer;
  auto capture = std::make_shared<int>(1);
  bool ran = false;
  const Timer::Id id = timer.After(1h, [&ran, capture](bool) { ran = true; });
  EXPECT_EQ(capture.use_count(), 2);
  EXPECT_TRUE(timer.Cancel(id));
  EXPECT_EQ(capture.use_count(), 1);
  EXPECT_FALSE(timer.Cancel(id)) << "only once";
  timer.Stop();
  EXPECT_FALSE(ran);
}

TEST(Timer, CancelTakesTheRightOne) {
  Heard first;
  Heard third;
  Timer timer;
  timer.After(1h, first.Callback());
  const Timer::Id id = timer.After(1h, [](bool) { ADD_FAILURE() << "was cancelled"; });
  timer.After(1h, third.Callback());
  EXPECT_TRUE(timer.Cancel(id));
  timer.Stop();
  EXPECT_EQ(first.Get(), false);
  EXPECT_EQ(third.Get(), false);
}

TEST(Timer, CancelOfARunningCallbackIsTooLate) {
  Timer timer;
  Gate gate(timer);
  EXPECT_FALSE(timer.Cancel(gate.id()));
}

TEST(Timer, CancelOfAFinishedOrUnknownOneIsFalse) {
  Heard heard;
  Timer timer;
  const Timer::Id id = timer.After(0s, heard.Callback());
  EXPECT_EQ(heard.Get(), true);
  EXPECT_FALSE(timer.Cancel(id));
  EXPECT_FALSE(timer.Cancel(id + 1000));
}

TEST(Timer, CapturesEndWithTheirCallback) {
  Timer timer;
  auto capture = std::make_shared<int>(1);
  Heard next;
  timer.After(-1h, [capture](bool) {});
  timer.After(0s, next.Callback());
  EXPECT_EQ(next.Get(), true);
  EXPECT_EQ(capture.use_count(), 1);
}

// The timer is not locked while callbacks run or captures end.
TEST(Timer, CallbacksAndTheirCapturesMayUseTheTimer) {
  Heard from_callback;
  Heard from_capture;
  Heard from_cancelled;
  Timer timer;
  auto last_gasp = [&timer](Heard& heard) {
    return std::shared_ptr<void>(nullptr, [&](void*) { timer.After(0s, heard.Callback()); });
  };
  timer.After(0s, [&, capture = last_gasp(from_capture)](bool) {
    EXPECT_TRUE(timer.Cancel(timer.After(1h, [](bool) {})));
    timer.After(0s, from_callback.Callback());
  });
  EXPECT_EQ(from_callback.Get(), true);
  EXPECT_EQ(from_capture.Get(), true);
  const Timer::Id id = timer.After(1h, [capture = last_gasp(from_cancelled)](bool) {});
  EXPECT_TRUE(timer.Cancel(id));
  EXPECT_EQ(from_cancelled.Get(), true);
}

TEST(Timer, ItsThreadBlocksSignals) {
  std::promise<bool> blocked;
  Timer timer;
  timer.After(0s, [&](bool) {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    blocked.set_value(sigismember(&mask, SIGTERM) == 1);
  });
  auto answer = blocked.get_future();
  ASSERT_EQ(answer.wait_for(kDeadline), std::future_status::ready);
  EXPECT_TRUE(answer.get());
}

// Many threads schedule and cancel at random while callbacks fire, then Stop falls in the middle: each
// callback runs exactly once, or never when its Cancel returned true.
TEST(Timer, ExactlyOnceUnderRaces) {
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 1000;
  struct Call {
    std::atomic<int> ran{0};
    std::atomic<bool> cancelled{false};
  };
  std::vector<Call> calls(kThreads * kEach);
  Timer timer;
  std::atomic<size_t> scheduled{0};
  std::vector<std::future<void>> threads;
  for (size_t thread = 0; thread < kThreads; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread] {
      CounterRng rng(thread, 0, 0);
      for (size_t i = 0; i < kEach; ++i) {
        Call& call = calls[thread * kEach + i];
        const Timer::Id id = timer.After(rng.NextBelow(300) * 1us, [&call](bool) { ++call.ran; });
        if (rng.NextBelow(2) == 0) call.cancelled = timer.Cancel(id);
        if (++scheduled == kThreads * kEach * 3 / 4) timer.Stop();
      }
    }));
  }
  for (auto& thread : threads) ASSERT_EQ(thread.wait_for(kDeadline), std::future_status::ready);
  timer.Stop();
  for (const Call& call : calls) ASSERT_EQ(call.ran, call.cancelled ? 0 : 1);
}

}  // namespace
}  // namespace bucketline
