// How requests get their credentials: at hand, waited for, refused, renewed.
#include <atomic>
#include <deque>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/cached_credentials.h"
#include "bucketline/s3/s3_get.h"
#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Completion;
using testing::ErrorAnswer;
using ::testing::HasSubstr;
using testing::ObjectAnswer;
using testing::ScriptedS3;
using testing::VectorSink;
using testing::Whole;

// Gives "K1", "K2", ...; fails or hangs on request.
class CountingSource : public CredentialSource {
 public:
  Credentials Fetch(std::stop_token stop) override {
    const int number = ++fetches;
    if (hang) {
      std::mutex mutex;
      std::condition_variable_any wake;
      std::unique_lock lock(mutex);
      wake.wait(lock, stop, [] { return false; });
      throw Error(ErrorCode::kCancelled, "stopped");
    }
    if (number <= failures) throw failure;
    return {"K" + std::to_string(same ? 1 : number), "secret", "token"};
  }
  std::string Name() const override { return "a counter"; }

  std::atomic<int> fetches = 0;
  int failures = 0;
  Error failure{ErrorCode::kConnection, "no route"};
  bool hang = false;
  bool same = false;
};

class AuthorizationTest : public ::testing::Test {
 protected:
  ~AuthorizationTest() override {
    if (client_) client_->Shutdown();
  }

  S3Client& Client() {
    if (client_) return *client_;
    S3Settings settings = ResolveSettings("bucket", s3_.options, s3_.environment);
    settings.credentials =
        std::make_shared<CachedCredentials>(std::move(owned_), s3_.clock, s3_.environment.log);
    client_ = std::make_shared<S3Client>(std::move(settings), s3_.environment);
    return *client_;
  }
  void Start(Completion<ObjectInfo>& get, std::stop_token stop = {}) {
    GetRequest request = Whole("k");
    request.stop = std::move(stop);
    Client();
    StartGet(client_, std::move(request), std::make_shared<VectorSink>(), get.Done());
  }
  Result<ObjectInfo> Get() {
    Completion<ObjectInfo> get;
    Start(get);
    auto result = get.Wait();
    EXPECT_EQ(get.calls(), 1);
    return result;
  }
  std::vector<std::string> Signers() {
    std::vector<std::string> ids;
    for (const HttpRequest& request : s3_.transport.requests()) ids.push_back(SignerOf(request));
    return ids;
  }
  static std::string SignerOf(const HttpRequest& request) {
    const std::string header(request.headers.Find("Authorization").value_or("="));
    const size_t begin = header.find("Credential=") + 11;
    return header.substr(begin, header.find('/') - begin);
  }

  ScriptedS3 s3_;
  std::unique_ptr<CountingSource> owned_ = std::make_unique<CountingSource>();
  CountingSource& source_ = *owned_;
  std::shared_ptr<S3Client> client_;
};

TEST_F(AuthorizationTest, RequestsWaitForTheFirstCredentialsAndShareThem) {
  s3_.transport.SetHandler([](const HttpRequest&) { return ObjectAnswer("x"); });
  std::vector<Completion<ObjectInfo>> gets(64);
  for (auto& get : gets) Start(get);
  for (auto& get : gets) EXPECT_TRUE(get.Wait());
  EXPECT_EQ(source_.fetches, 1);
  EXPECT_EQ(Signers(), std::vector<std::string>(64, "K1"));
}

TEST_F(AuthorizationTest, AFailureThatMayPassIsTriedAgain) {
  source_.failures = 3;
  s3_.transport.Push(ObjectAnswer("x"));
  EXPECT_TRUE(Get());
  EXPECT_EQ(source_.fetches, 4);
  EXPECT_EQ(Signers(), std::vector<std::string>{"K4"});
}

TEST_F(AuthorizationTest, AFailureThatStaysIsTheRequestsAfterItsAttempts) {
  source_.failures = 1000;
  s3_.options.max_attempts = 4;
  const auto result = Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(source_.fetches, 4);
  EXPECT_EQ(result.error().uri(), "s3://bucket/k");
  EXPECT_THAT(result.error().message(), AllOf(HasSubstr("no route"), HasSubstr("after 4 attempts")));
}

TEST_F(AuthorizationTest, AFailureThatNeedsAPersonIsFinal) {
  source_.failures = 1000;
  source_.failure = Error(ErrorCode::kUnauthenticated, "run aws sso login");
  const auto result = Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kUnauthenticated);
  EXPECT_EQ(result.error().uri(), "s3://bucket/k");
  EXPECT_EQ(source_.fetches, 1);
  EXPECT_TRUE(s3_.transport.requests().empty());
}

TEST_F(AuthorizationTest, TheDeadlineCoversTheWaitForCredentials) {
  source_.hang = true;
  s3_.options.deadline = std::chrono::milliseconds(30);
  const auto result = Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kTimeout);
  EXPECT_THAT(result.error().message(), HasSubstr("a counter"));
}

TEST_F(AuthorizationTest, AStopEndsTheWaitForCredentials) {
  source_.hang = true;
  std::stop_source stop;
  Completion<ObjectInfo> get;
  Start(get, stop.get_token());
  stop.request_stop();
  EXPECT_EQ(get.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(get.calls(), 1);
}

TEST_F(AuthorizationTest, ShutdownEndsTheWaitForCredentials) {
  source_.hang = true;
  Completion<ObjectInfo> get;
  Start(get);
  Client().Shutdown();
  EXPECT_EQ(get.calls(), 1);
  EXPECT_EQ(get.Wait().error().code(), ErrorCode::kCancelled);
}

TEST_F(AuthorizationTest, StopsAtRandomMomentsEndEveryWaitOnce) {
  s3_.transport.SetHandler([](const HttpRequest&) { return ObjectAnswer("x"); });
  source_.failures = 100;
  for (int round = 0; round < 200; ++round) {
    std::stop_source stop;
    Completion<ObjectInfo> get;
    Start(get, stop.get_token());
    for (int spin = 0; spin < (round % 20) * 300; ++spin) static_cast<void>(stop.stop_requested());
    stop.request_stop();
    ASSERT_TRUE(get.WaitFor());
    ASSERT_EQ(get.calls(), 1);
  }
}

TEST_F(AuthorizationTest, ExpiredOnesAreRenewedOnceAndTheRequestIsSignedAgain) {
  for (const char* code : {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken"}) {
    const size_t before = s3_.transport.requests().size();
    const uint64_t tokens = s3_.budget.tokens();
    s3_.transport.Push(ErrorAnswer(400, code));
    s3_.transport.Push(ObjectAnswer("x"));
    EXPECT_TRUE(Get()) << code;
    EXPECT_EQ(s3_.transport.requests().size(), before + 2);
    EXPECT_EQ(s3_.budget.tokens(), tokens);  // it is no sign of a store in trouble
  }
  EXPECT_EQ(Signers(), (std::vector<std::string>{"K1", "K2", "K2", "K3", "K3", "K4"}));
}

TEST_F(AuthorizationTest, ASourceWithNoOthersFailsWithTheStoresWords) {
  source_.same = true;
  s3_.transport.SetHandler([](const HttpRequest&) { return ErrorAnswer(400, "ExpiredToken"); });
  const auto result = Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kUnauthenticated);
  EXPECT_THAT(result.error().message(), HasSubstr("get new temporary credentials"));
  EXPECT_EQ(s3_.transport.requests().size(), 2u);
  EXPECT_EQ(source_.fetches, 2);
}

// The token of the running epoch expires: every request under way is renewed by one fetch, and none is lost.
TEST_F(AuthorizationTest, AnExpiryWithManyRequestsUnderWayLosesNone) {
  constexpr size_t kRequests = 500;
  std::atomic<size_t> answered = 0, refused = 0;
  s3_.transport.SetHandler([&](const HttpRequest& request) {
    if (++answered > kRequests / 2 && SignerOf(request) == "K1") {
      ++refused;
      return ErrorAnswer(400, "ExpiredToken");
    }
    return ObjectAnswer("x");
  });
  std::vector<Completion<ObjectInfo>> gets(kRequests);
  for (auto& get : gets) Start(get);
  for (auto& get : gets) EXPECT_TRUE(get.Wait());
  EXPECT_EQ(source_.fetches, 2);
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(s3_.transport.requests().size(), kRequests + refused);  // each was sent once more
}

TEST(StaticAuthorizationTest, ExplicitOnesThatExpiredAreNotTriedAgain) {
  ScriptedS3 s3;
  s3.transport.Push(ErrorAnswer(400, "ExpiredToken"));
  const auto store = s3.Store();
  Completion<ObjectInfo> get;
  store->Get(Whole("k"), std::make_shared<VectorSink>(), get.Done());
  EXPECT_EQ(get.Wait().error().code(), ErrorCode::kUnauthenticated);
  EXPECT_EQ(s3.transport.requests().size(), 1u);
}

}  // namespace
}  // namespace bucketline
