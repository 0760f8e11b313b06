#include "bucketline/runtime/runtime.h"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/http/loopback_server_test_util.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

RuntimeOptions Quiet() {
  RuntimeOptions options;
  options.log = LogToNowhere();
  return options;
}

// The error that `call` throws; fails the test when it throws none.
template <typename Call>
Error ErrorOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorCode::kInternal, "no error");
}

S3Options Static(const std::string& key) {
  S3Options s3;
  s3.endpoint_url = "http://127.0.0.1:1";
  s3.access_key_id = key;
  s3.secret_access_key = "secret";
  return s3;
}

TEST(Runtime, RegisteredStoresAreFoundByName) {
  Runtime runtime(Quiet());
  std::shared_ptr<ObjectStore> store = MakeMemoryStore("a");
  runtime.AddStore("a", store);
  EXPECT_EQ(runtime.StoreFor(Uri::Parse("mem://a/some/key")), store);
  EXPECT_EQ(runtime.StoreFor(Uri::Parse("mem://a/other"), Static("k")), store);
}

TEST(Runtime, AnUnknownMemoryStoreSaysHowToMakeOne) {
  Runtime runtime(Quiet());
  const Error error = ErrorOf([&] { runtime.StoreFor(Uri::Parse("mem://nobody/key")); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("mem://nobody"));
  EXPECT_THAT(error.what(), HasSubstr("AddStore"));
}

TEST(Runtime, ANameIsTakenOnce) {
  Runtime runtime(Quiet());
  runtime.AddStore("a", MakeMemoryStore("a"));
  EXPECT_EQ(ErrorOf([&] { runtime.AddStore("a", MakeMemoryStore("a")); }).code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(ErrorOf([&] { runtime.AddStore("b", nullptr); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Runtime, FileStoresAreSharedByRoot) {
  Runtime runtime(Quiet());
  const auto absolute = runtime.StoreFor(Uri::Parse("/data/a"));
  EXPECT_EQ(absolute, runtime.StoreFor(Uri::Parse("file:///other/b")));
  EXPECT_EQ(absolute, runtime.StoreFor(Uri::Parse("/data/a"), Static("k")));  // files have no S3 options
  const auto relative = runtime.StoreFor(Uri::Parse("data/a"));
  EXPECT_NE(relative, absolute);
  EXPECT_EQ(relative, runtime.StoreFor(Uri::Parse("./b")));
}

TEST(Runtime, BucketsAreSharedByNameAndOptions) {
  RuntimeOptions options = Quiet();
  options.s3 = Static("default");
  Runtime runtime(options);
  const auto first = runtime.StoreFor(Uri::Parse("s3://bucket/a"));
  EXPECT_EQ(first, runtime.StoreFor(Uri::Parse("s3://bucket/b")));
  EXPECT_EQ(first, runtime.StoreFor(Uri::Parse("s3://bucket/b"), Static("default")));
  EXPECT_NE(first, runtime.StoreFor(Uri::Parse("s3://bucket/b"), Static("other")));
  EXPECT_NE(first, runtime.StoreFor(Uri::Parse("s3://bucket2/a")));
}

TEST(Runtime, AStoreThatCannotBeMadeIsNamed) {
  Runtime runtime(Quiet());
  S3Options half = Static("key");
  half.secret_access_key.clear();
  EXPECT_EQ(ErrorOf([&] { runtime.StoreFor(Uri::Parse("s3://bucket/a"), half); }).uri(), "s3://bucket/a");
}

TEST(Runtime, KeysAreRelativeToTheStore) {
  EXPECT_EQ(Runtime::KeyOf(Uri::Parse("s3://bucket/a//b")), "a//b");
  EXPECT_EQ(Runtime::KeyOf(Uri::Parse("mem://name/a/b")), "a/b");
  EXPECT_EQ(Runtime::KeyOf(Uri::Parse("/data/a.jpg")), "data/a.jpg");
  EXPECT_EQ(Runtime::KeyOf(Uri::Parse("file:///data/a.jpg")), "data/a.jpg");
  EXPECT_EQ(Runtime::KeyOf(Uri::Parse("data/a.jpg")), "data/a.jpg");
}

TEST(Runtime, TheCommonCapIsOptional) {
  Runtime without(Quiet());
  EXPECT_EQ(without.memory(), nullptr);
  RuntimeOptions options = Quiet();
  options.memory = 1000;
  Runtime with(options);
  ASSERT_NE(with.memory(), nullptr);
  EXPECT_EQ(with.memory()->capacity(), 1000u);
}

TEST(Runtime, OptionsAreChecked) {
  RuntimeOptions threads = Quiet();
  threads.network_threads = 0;
  EXPECT_THAT(ErrorOf([&] { Runtime runtime(threads); }).what(), HasSubstr("network_threads"));
  RuntimeOptions connections = Quiet();
  connections.connections = 0;
  EXPECT_THAT(ErrorOf([&] { Runtime runtime(connections); }).what(), HasSubstr("connections"));
  RuntimeOptions log;
  log.log = nullptr;
  EXPECT_THAT(ErrorOf([&] { Runtime runtime(log); }).what(), HasSubstr("log"));
}

TEST(Runtime, CountersStartAtZero) {
  Runtime runtime(Quiet());
  EXPECT_EQ(runtime.counters().requests.value(), 0u);
}

// Sanitizers that keep threads of their own cannot follow a fork of a threaded process.
#if !defined(BUCKETLINE_THREAD_SANITIZER)
// Every object fails five times, as in an outage of a second or so; with the budget of an SDK's client most were lost.
TEST(Runtime, AnOutageLosesNothingWithAllConnectionsInUse) {
  constexpr size_t kObjects = 128;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, int> attempts;
  LoopbackServer server([&](LoopbackConnection& connection) {
    while (connection.ReadRequest()) {
      std::unique_lock lock(mutex);
      const int attempt = ++attempts[connection.head.substr(0, connection.head.find('\r'))];
      lock.unlock();
      const bool sent =
          attempt > 5 ? connection.Respond("", "ETag: \"e\"\r\n")
                      : connection.Write("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
      if (!sent) return;
    }
  });
  RuntimeOptions options = Quiet();
  options.s3 = Static("key");
  options.s3.endpoint_url = server.Url("");
  Runtime runtime(options);
  const auto store = runtime.StoreFor(Uri::Parse("s3://bucket/"));
  size_t ended = 0;
  std::vector<std::string> failures;
  for (size_t i = 0; i < kObjects; ++i) {
    store->Head(std::to_string(i), [&](Result<ObjectInfo> result) {
      const std::lock_guard lock(mutex);
      if (!result) failures.emplace_back(result.error().what());
      ++ended;
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return ended == kObjects; });
  EXPECT_THAT(failures, ::testing::IsEmpty());
  EXPECT_EQ(runtime.counters().retries.value(), 5 * kObjects);
}

TEST(Runtime, UsingItAfterForkIsAnErrorAndDestroyingItDoesNotHang) {
  auto runtime = std::make_unique<Runtime>(Quiet());
  runtime->AddStore("a", MakeMemoryStore("a"));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(120);  // a hang ends the child, and fails the test
    int result = 1;
    try {
      runtime->StoreFor(Uri::Parse("mem://a/key"));
    } catch (const Error& error) {
      const bool says = error.code() == ErrorCode::kInternal &&
                        std::string(error.what()).find("after fork") != std::string::npos &&
                        std::string(error.what()).find(std::to_string(getppid())) != std::string::npos;
      result = says ? 0 : 2;
    }
    runtime.reset();
    _exit(result);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "the child hung or crashed";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
#endif

}  // namespace
}  // namespace bucketline
