// A process that fills and reads a cache at random, one byte to standard output an operation, until it is killed or told to
// end by its operations: cache_filler FOLDER LIMIT SEED OPERATIONS. Exits with 1, saying why, at the first wrong byte.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "bucketline/base/random.h"
#include "bucketline/cache/cache_testing.h"

namespace bucketline {
namespace {

constexpr uint64_t kDatasets = 4;
constexpr uint64_t kEntries = 200;
constexpr int kThreads = 2;

size_t SizeOf(uint64_t n) { return Mix64(n) % 60'000; }

void Work(NodeCache& cache, uint64_t seed, uint64_t operations) {
  std::shared_ptr<CachedDataset> dataset;
  for (uint64_t i = 0; i < operations; ++i) {
    const uint64_t draw = Mix64(seed + i);
    if (dataset == nullptr || draw % 50 == 0) {
      dataset = nullptr;
      const std::string name = "dataset " + std::to_string(draw / 50 % kDatasets);
      if ((dataset = cache.Use(name)) == nullptr) continue;
    }
    const uint64_t n = draw / 1000 % kEntries;
    const testing::KnownEntry entry(n, SizeOf(n), draw % 40 == 1 ? "\"other\"" : "\"e\"");
    if (!testing::Has(cache, *dataset, entry)) {  // throws at a wrong byte
      const auto found = cache.Find(*dataset, entry.id);
      if (found && found->state() == EntryReader::State::kDamaged)
        throw std::runtime_error("a damaged entry");
      if (found) cache.Drop(*dataset, entry.id, *found);
      testing::Add(cache, *dataset, entry);
    }
    if (::write(STDOUT_FILENO, ".", 1) != 1) return;
  }
}

int Main(char** argv) {
  const auto cache =
      NodeCache::Open({.folder = argv[1], .limit = std::stoull(argv[2]), .log = LogToNowhere()});
  const uint64_t seed = std::stoull(argv[3]), operations = std::stoull(argv[4]);
  std::atomic<bool> failed = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      try {
        Work(*cache, Mix64(seed * kThreads + static_cast<uint64_t>(t)), operations);
      } catch (const std::exception& exception) {
        std::fprintf(stderr, "cache_filler: %s\n", exception.what());
        failed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace bucketline

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    return bucketline::Main(argv);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "cache_filler: %s\n", exception.what());
    return 1;
  }
}
