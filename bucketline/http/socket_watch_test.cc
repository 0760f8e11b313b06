#include "bucketline/http/socket_watch.h"

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bucketline/base/error.h"
#include "bucketline/http/curl_handles.h"
#include "bucketline/http/loopback_server_test_util.h"

namespace bucketline {
namespace {

using std::chrono::milliseconds;

SteadyTime Now() { return std::chrono::steady_clock::now(); }
SteadyTime Never() { return Now() + std::chrono::minutes(1); }

TEST(SocketWatch, WaitsUntilTheTimeGiven) {
  SocketWatch watch;
  const SteadyTime until = Now() + milliseconds(5);
  watch.Wait(until);
  EXPECT_GE(Now(), until);
}

TEST(SocketWatch, AWakeFromAnotherThreadEndsTheWait) {
  SocketWatch watch;
  const SteadyTime start = Now();
  std::thread other([&] { watch.Wake(); });
  watch.Wait(Never());
  other.join();
  EXPECT_LT(Now() - start, std::chrono::seconds(30));
}

TEST(SocketWatch, AWakeBeforeTheWaitEndsItAndOnlyIt) {
  SocketWatch watch;
  watch.Wake();
  watch.Wake();
  const SteadyTime start = Now();
  watch.Wait(Never());
  EXPECT_LT(Now() - start, std::chrono::seconds(30));
  const SteadyTime until = Now() + milliseconds(5);
  watch.Wait(until);
  EXPECT_GE(Now(), until);
}

// The one that was lost once: it came after Wait had returned and before Advance.
TEST(SocketWatch, AWakeAfterTheWaitIsForTheNextOne) {
  CurlMulti multi = MakeCurlMulti();
  SocketWatch watch;
  watch.Attach(multi.get());
  watch.Wake();
  watch.Wait(Never());
  watch.Wake();
  EXPECT_TRUE(watch.Advance());
  const SteadyTime start = Now();
  watch.Wait(Never());
  EXPECT_LT(Now() - start, std::chrono::seconds(30));
}

size_t Ignore(char*, size_t size, size_t count, void*) { return size * count; }

// Drives one transfer of `url` to its end; the wall-clock limit is the test's.
CURLcode Fetch(SocketWatch& watch, CURLM* multi, CURL* easy, const std::string& url) {
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Ignore);
  curl_multi_add_handle(multi, easy);
  for (;;) {
    if (!watch.Advance()) return CURLE_FAILED_INIT;
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      const CURLcode code = message->data.result;
      curl_multi_remove_handle(multi, easy);
      return code;
    }
    watch.Wait(Never());
  }
}

TEST(SocketWatch, DrivesTransfersOverOneConnection) {
  LoopbackServer server(LoopbackServer::Always("ok"));
  SocketWatch watch;
  CurlMulti multi = MakeCurlMulti();
  watch.Attach(multi.get());
  for (int i = 0; i < 3; ++i) {
    CurlEasy easy = MakeCurlEasy();
    ASSERT_EQ(Fetch(watch, multi.get(), easy.get(), server.Url()), CURLE_OK);
  }
  EXPECT_EQ(server.connections(), 1u);
}

TEST(SocketWatch, LibcurlsTimerEndsTheWait) {
  LoopbackServer server([](LoopbackConnection& connection) { connection.WaitForPeer(); });
  SocketWatch watch;
  CurlMulti multi = MakeCurlMulti();
  watch.Attach(multi.get());
  CurlEasy easy = MakeCurlEasy();
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, 50L);
  EXPECT_EQ(Fetch(watch, multi.get(), easy.get(), server.Url()), CURLE_OPERATION_TIMEDOUT);
}

TEST(SocketWatch, AnotherMultiHandleMayFollow) {
  LoopbackServer server(LoopbackServer::Always("ok"));
  SocketWatch watch;
  for (int i = 0; i < 2; ++i) {
    CurlMulti multi = MakeCurlMulti();
    watch.Attach(multi.get());
    CurlEasy easy = MakeCurlEasy();
    ASSERT_EQ(Fetch(watch, multi.get(), easy.get(), server.Url()), CURLE_OK);
  }
}

TEST(SocketWatch, WithoutDescriptorsItSaysSo) {
  // UBSan reads the first object of a type through a pipe, which wants descriptors too.
  ASSERT_EQ(Error(ErrorCode::kResourceExhausted, "known").code(), ErrorCode::kResourceExhausted);
  // A limit below every free descriptor, whatever is open and however many the system would give.
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  try {
    SocketWatch watch;
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
    EXPECT_NE(error.message().find("ulimit -n"), std::string::npos);
  }
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
}

}  // namespace
}  // namespace bucketline
