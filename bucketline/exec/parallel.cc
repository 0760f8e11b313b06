#include "bucketline/exec/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/exec/thread_pool.h"

namespace bucketline {

void RunOnThreads(size_t count, const std::string& name, const std::function<void()>& work) {
  std::vector<std::thread> threads;
  const Result<void> started = Catch([&] {
    while (threads.size() < count) threads.push_back(StartThread(name, work));
  });
  for (std::thread& thread : threads) thread.join();
  if (threads.empty()) started.ValueOrThrow();
}

void RunParallel(size_t count, size_t width, const std::function<void(size_t number)>& task) {
  std::atomic<size_t> next{0};
  std::mutex mutex;  // guards `failed`
  std::optional<std::pair<size_t, Error>> failed;
  const auto work = [&] {
    for (size_t i; (i = next++) < count;) {
      const Result<void> done = Catch([&] { task(i); });
      if (done) continue;
      next = count;
      std::lock_guard lock(mutex);
      if (!failed || i < failed->first) failed.emplace(i, done.error());
    }
  };
  RunOnThreads(std::min(count, width), "bl-parallel", work);
  if (failed) throw failed->second;
}

}  // namespace bucketline
