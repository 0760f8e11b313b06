#include "bucketline/s3/cached_credentials.h"

#include <atomic>
#include <deque>
#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/credential_testing.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using namespace std::chrono_literals;
using testing::Completion;
using testing::CredentialBench;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What a source is to do, seen and steered by the test.
struct Script {
  std::mutex mutex;
  std::deque<Result<Credentials>> answers;
  std::atomic<int> fetches = 0;
  bool outlives = false;
  bool gated = false;  // each fetch waits for `gate`, or a stop request
  std::counting_semaphore<> gate{0};
  std::counting_semaphore<> entered{0};
};

class ScriptedSource : public CredentialSource {
 public:
  explicit ScriptedSource(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  Credentials Fetch(std::stop_token stop) override {
    ++script_->fetches;
    if (script_->gated) {
      const std::stop_callback open(stop, [&] { script_->gate.release(); });
      script_->entered.release();
      script_->gate.acquire();
      if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped");
    }
    const std::lock_guard lock(script_->mutex);
    if (script_->answers.empty()) throw Error(ErrorCode::kInternal, "no more answers");
    auto answer = std::move(script_->answers.front());
    script_->answers.pop_front();
    return std::move(answer).ValueOrThrow();
  }
  std::string Name() const override { return "a script"; }
  bool OutlivesExpiry() const override { return script_->outlives; }

 private:
  const std::shared_ptr<Script> script_;
};

class CachedCredentialsTest : public ::testing::Test {
 protected:
  // Credentials that expire `lifetime` after the bench's present.
  Credentials For(std::string id, Duration lifetime) {
    return {std::move(id), "secret", "token", bench_.clock.WallNow() + lifetime};
  }
  void Push(Result<Credentials> answer) {
    const std::lock_guard lock(script_->mutex);
    script_->answers.push_back(std::move(answer));
  }
  void PushFailure() { Push(Error(ErrorCode::kConnection, "no route")); }

  Result<CredentialsPtr> Get() {
    Completion<CredentialsPtr> completion;
    provider_.Get(completion.Done());
    auto result = completion.Wait();
    EXPECT_EQ(completion.calls(), 1);
    return result;
  }
  std::string Id() {
    const auto result = Get();
    return result ? (*result)->access_key_id : std::string(result.error().what());
  }
  // Waits until the renewal in the background has shown: the test's own deadline is that of ctest.
  void AwaitId(const std::string& id) {
    while ((**provider_.TryGet()).access_key_id != id) std::this_thread::yield();
  }
  std::string Log() {
    const std::lock_guard lock(bench_.mutex);
    return bench_.log.empty() ? "" : bench_.log.back();
  }

  CredentialBench bench_;
  std::shared_ptr<Script> script_ = std::make_shared<Script>();
  CachedCredentials provider_{std::make_unique<ScriptedSource>(script_), bench_.clock, bench_.Context().log};
};

TEST_F(CachedCredentialsTest, TheFirstHasToBeWaitedForAndIsKept) {
  Push(For("a", 1h));
  EXPECT_EQ(provider_.TryGet(), std::nullopt);
  EXPECT_EQ(Id(), "a");
  bench_.clock.Advance(44min);
  EXPECT_EQ((**provider_.TryGet()).access_key_id, "a");
  EXPECT_EQ(script_->fetches, 1);
  EXPECT_EQ(provider_.Source(), "a script");
}

TEST_F(CachedCredentialsTest, AllWhoWaitShareOneFetch) {
  script_->gated = true;
  Push(For("a", 1h));
  std::vector<Completion<CredentialsPtr>> waiting(50);
  for (auto& completion : waiting) provider_.Get(completion.Done());
  script_->gate.release();
  for (auto& completion : waiting) {
    EXPECT_EQ((*completion.Wait())->access_key_id, "a");
    EXPECT_EQ(completion.calls(), 1);
  }
  EXPECT_EQ(script_->fetches, 1);
}

TEST_F(CachedCredentialsTest, WithoutExpiryTheyAreKeptForEver) {
  Push(Credentials{"a", "secret", ""});
  EXPECT_EQ(Id(), "a");
  bench_.clock.Advance(24h * 365);
  EXPECT_EQ((**provider_.TryGet()).access_key_id, "a");
  EXPECT_EQ(script_->fetches, 1);
}

TEST_F(CachedCredentialsTest, FifteenMinutesAheadTheyAreRenewedInTheBackground) {
  Push(For("a", 1h));
  Id();
  script_->gated = true;
  Push(For("b", 2h));
  bench_.clock.Advance(46min);
  EXPECT_EQ((**provider_.TryGet()).access_key_id, "a");  // nobody waits
  script_->entered.acquire();
  EXPECT_EQ((**provider_.TryGet()).access_key_id, "a");
  script_->gate.release();
  AwaitId("b");
  EXPECT_EQ(script_->fetches, 2);
}

TEST_F(CachedCredentialsTest, TenMinutesAheadRequestsWait) {
  Push(For("a", 1h));
  Id();
  Push(For("b", 2h));
  bench_.clock.Advance(50min);
  EXPECT_EQ(provider_.TryGet(), std::nullopt);
  EXPECT_EQ(Id(), "b");
}

TEST_F(CachedCredentialsTest, ShortLivesHaveShorterWindows) {
  Push(For("a", 12min));
  Id();
  bench_.clock.Advance(5min);
  EXPECT_EQ((**provider_.TryGet()).access_key_id, "a");
  EXPECT_EQ(script_->fetches, 1);
  Push(For("b", 12min));
  bench_.clock.Advance(4min + 1s);
  EXPECT_EQ(Id(), "b");
}

TEST_F(CachedCredentialsTest, AFailedRenewalServesWhatHasNotExpiredAndRestsAWhile) {
  Push(For("a", 1h));
  Id();
  PushFailure();
  bench_.clock.Advance(51min);
  EXPECT_EQ(Id(), "a");
  EXPECT_THAT(Log(), AllOf(HasSubstr("a script"), HasSubstr("about to expire"), HasSubstr("no route")));
  EXPECT_EQ((**provider_.TryGet()).access_key_id, "a");
  EXPECT_EQ(script_->fetches, 2);
  Push(For("b", 2h));
  bench_.clock.Advance(CachedCredentials::kBetweenRenewals);
  EXPECT_EQ(Id(), "b");
}

TEST_F(CachedCredentialsTest, AfterExpiryAFailureIsTheRequestsAndTheNextAsksAgain) {
  Push(For("a", 1h));
  Id();
  bench_.clock.Advance(61min);
  PushFailure();
  EXPECT_EQ(Get().error().code(), ErrorCode::kConnection);
  Push(For("b", 2h));
  EXPECT_EQ(Id(), "b");
}

TEST_F(CachedCredentialsTest, ASourceThatOutlivesExpiryIsServedOn) {
  script_->outlives = true;
  Push(For("a", 1h));
  Id();
  bench_.clock.Advance(61min);
  PushFailure();
  EXPECT_EQ(Id(), "a");
  EXPECT_THAT(Log(), HasSubstr("have expired"));
  EXPECT_EQ((**provider_.TryGet()).access_key_id, "a");
}

TEST_F(CachedCredentialsTest, RejectedOnesAreReplacedOnce) {
  Push(For("a", 1h));
  const CredentialsPtr a = *Get();
  Push(For("b", 1h));
  EXPECT_TRUE(provider_.Renew(a));
  EXPECT_EQ(provider_.TryGet(), std::nullopt);
  EXPECT_EQ(Id(), "b");
  EXPECT_TRUE(provider_.Renew(a));  // by a request that was signed before
  EXPECT_EQ(Id(), "b");
  EXPECT_EQ(script_->fetches, 2);
}

TEST_F(CachedCredentialsTest, RejectedOnesAreNeverServedAgainWhenTheSourceFails) {
  script_->outlives = true;
  Push(For("a", 1h));
  EXPECT_TRUE(provider_.Renew(*Get()));
  PushFailure();
  EXPECT_EQ(Get().error().code(), ErrorCode::kConnection);
}

TEST_F(CachedCredentialsTest, ExpiredOnesFromASourceThatInsistsAreTriedAndNotAskedForEachTime) {
  Push(For("a", -1h));  // this machine's clock may be wrong
  EXPECT_EQ(Id(), "a");
  EXPECT_EQ(Id(), "a");
  EXPECT_EQ(script_->fetches, 1);
}

TEST_F(CachedCredentialsTest, WhatNoKeyHasIsRefusedWithoutShowingIt) {
  Push(Credentials{"id", "sec ret", "token"});
  const Error error = Get().error();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("a script"), Not(HasSubstr("sec ret"))));
}

TEST_F(CachedCredentialsTest, StopEndsAFetchThatHangsAndAllWhoWait) {
  script_->gated = true;
  Completion<CredentialsPtr> waiting;
  provider_.Get(waiting.Done());
  script_->entered.acquire();
  provider_.Stop();
  EXPECT_EQ(waiting.calls(), 1);
  EXPECT_EQ(waiting.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(Get().error().code(), ErrorCode::kCancelled);
  provider_.Stop();
}

TEST_F(CachedCredentialsTest, AStopDuringARenewalThatRequestsWaitForCancelsThem) {
  Push(For("a", 1h));
  Id();
  bench_.clock.Advance(55min);
  script_->gated = true;
  Completion<CredentialsPtr> waiting;
  provider_.Get(waiting.Done());
  provider_.Stop();
  EXPECT_EQ(waiting.Wait().error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bucketline
