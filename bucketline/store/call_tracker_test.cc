#include "bucketline/store/call_tracker.h"

#include <atomic>
#include <future>
#include <optional>

#include <gtest/gtest.h>

#include "bucketline/store/linked_stop.h"
#include "bucketline/store/parked_call.h"
#include "bucketline/store/store_testing.h"
#include "bucketline/store/store_threads.h"

namespace bucketline {
namespace {

constexpr std::chrono::seconds kDeadline(30);

TEST(CallTracker, WaitsForEveryTicket) {
  CallTracker tracker;
  CallTracker::Ticket first = tracker.Enter();
  CallTracker::Ticket second = tracker.Enter();
  EXPECT_EQ(tracker.running(), 2u);
  // The tickets are given back by the stop alone, so this returns only if the stop comes before the wait.
  std::stop_callback give_back(tracker.stop_token(), [&] {
    first.reset();
    second.reset();
  });
  tracker.CancelAndWait();
  EXPECT_EQ(tracker.running(), 0u);
  tracker.CancelAndWait();
}

TEST(CallTracker, ReturnsOnlyAfterTheLastTicket) {
  CallTracker tracker;
  std::atomic<bool> left = false;
  CallTracker::Ticket ticket = tracker.Enter();
  std::promise<void> waiting;
  std::stop_callback told(tracker.stop_token(), [&] { waiting.set_value(); });
  std::thread leaver([&] {
    EXPECT_EQ(waiting.get_future().wait_for(kDeadline), std::future_status::ready);
    left = true;
    ticket.reset();
  });
  tracker.CancelAndWait();
  EXPECT_TRUE(left);
  leaver.join();
}

TEST(CallStop, NamesWhoStopped) {
  std::stop_source call;
  std::stop_source store;
  const CallStop stop{call.get_token(), store.get_token()};
  EXPECT_NO_THROW(stop.Check("uri"));
  store.request_stop();
  const auto closed = Catch([&] { stop.Check("uri"); });
  EXPECT_EQ(closed.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(closed.error().uri(), "uri");
  call.request_stop();
  EXPECT_EQ(Catch([&] { stop.Check("uri"); }).error().message(), "stopped on request");
}

TEST(LinkedStop, FollowsEither) {
  for (const bool first : {true, false}) {
    std::stop_source a;
    std::stop_source b;
    LinkedStop link(a.get_token(), b.get_token());
    EXPECT_FALSE(link.token().stop_requested());
    (first ? a : b).request_stop();
    EXPECT_TRUE(link.token().stop_requested());
  }
}

TEST(LinkedStop, OfAStoppedTokenIsStopped) {
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_TRUE(LinkedStop({}, stopped.get_token()).token().stop_requested());
}

TEST(StoreThreads, ErrorsGetTheUriAndAStopComesFirst) {
  StoreThreads threads(1, "test");
  testing::Completion<int> failed;
  threads.Call(
      {}, "mem://x/k", [](const CallStop&) -> int { throw Error(ErrorCode::kIo, "broken"); }, failed.Done());
  EXPECT_EQ(failed.Wait().error().uri(), "mem://x/k");

  std::stop_source stop;
  stop.request_stop();
  testing::Completion<int> stopped;
  threads.Call(
      stop.get_token(), "u",
      [](const CallStop&) {
        ADD_FAILURE() << "work of a stopped call ran";
        return 1;
      },
      stopped.Done());
  EXPECT_EQ(stopped.Wait().error().code(), ErrorCode::kCancelled);
}

TEST(StoreThreads, WorkBegunByWorkIsFinishedToo) {
  std::atomic<int> ran = 0;
  {
    StoreThreads threads(1, "test");
    threads.Run([&] {
      ++ran;
      threads.Run([&] {
        ++ran;
        threads.Run([&] { ++ran; });
      });
    });
  }
  EXPECT_EQ(ran, 3);
}

TEST(StoreThreads, RefusesWorkOnceFinished) {
  StoreThreads threads(1, "test");
  threads.Finish();
  threads.Finish();
  EXPECT_THROW(threads.Run([] {}), Error);
  EXPECT_EQ(threads.tracker().running(), 0u);
}

TEST(ParkedCall, AReleaseEndsItOnce) {
  StoreThreads threads(1, "test");
  testing::Completion<bool> ended;
  const auto call = ParkedCall::Park(threads, {}, [done = ended.Done()](bool stopped) { done(stopped); });
  EXPECT_EQ(ended.calls(), 0);
  call->Release();
  call->Release();
  EXPECT_FALSE(*ended.Wait());
  threads.Finish();
  EXPECT_EQ(ended.calls(), 1);
}

TEST(ParkedCall, AStopEndsItOnAStoreThread) {
  StoreThreads threads(1, "test");
  std::stop_source stop;
  testing::Completion<bool> ended;
  const auto call =
      ParkedCall::Park(threads, stop.get_token(), [done = ended.Done()](bool stopped) { done(stopped); });
  stop.request_stop();
  EXPECT_TRUE(*ended.Wait());
  EXPECT_NE(ended.thread(), std::this_thread::get_id());
  call->Release();
  threads.Finish();
  EXPECT_EQ(ended.calls(), 1);
}

TEST(ParkedCall, AStopFromBeforeEndsItToo) {
  StoreThreads threads(1, "test");
  std::stop_source stop;
  stop.request_stop();
  testing::Completion<bool> ended;
  ParkedCall::Park(threads, stop.get_token(), [done = ended.Done()](bool stopped) { done(stopped); });
  EXPECT_TRUE(*ended.Wait());
}

TEST(ParkedCall, TheEndOfTheStoreEndsIt) {
  testing::Completion<bool> ended;
  std::shared_ptr<ParkedCall> call;
  {
    StoreThreads threads(1, "test");
    call = ParkedCall::Park(threads, {}, [done = ended.Done()](bool stopped) { done(stopped); });
  }
  EXPECT_EQ(ended.calls(), 1);
  EXPECT_TRUE(*ended.Wait());
  call->Release();
}

TEST(ParkedCall, ReleasesAndStopsAtOnceEndItOnce) {
  StoreThreads threads(2, "test");
  std::atomic<int> ends = 0;
  for (int i = 0; i < 500; ++i) {
    std::stop_source stop;
    const auto call = ParkedCall::Park(threads, stop.get_token(), [&](bool) { ++ends; });
    std::jthread stopper([&] { stop.request_stop(); });
    call->Release();
  }
  threads.Finish();
  EXPECT_EQ(ends, 500);
}

}  // namespace
}  // namespace bucketline
