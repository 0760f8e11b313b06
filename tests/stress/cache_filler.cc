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
#include "bucketline/cache/blob_cache.h"
#include "bucketline/cache/cache_testing.h"

namespace bucketline {
namespace {

constexpr uint64_t kDatasets = 4;
constexpr uint64_t kEntries = 200;
constexpr int kThreads = 2;

size_t SizeOf(uint64_t n) { return Mix64(n) % 60'000; }

// What a loader does with the pixels of one image: found and read, else made and added.
void UseBlob(BlobCache& blobs, uint64_t n, const std::string& etag) {
  const std::vector<uint8_t> pixels = testing::RampBytes(SizeOf(n + 1000), n);
  const EntryId id =
      blobs.IdOf({.key = "key-" + std::to_string(n), .offset = 0, .length = SizeOf(n), .etag = etag});
  if (const std::optional<BlobCache::Found> found = blobs.Find(id)) {
    if (found->size != pixels.size() || found->note != std::to_string(n))
      throw std::runtime_error("another blob than was added");
    std::vector<uint8_t> read(found->size);
    if (blobs.Read(id, read)) {
      if (read != pixels) throw std::runtime_error("other pixels than were added");
      return;
    }
  }
  blobs.Add(id, std::to_string(n), pixels);
}

void Work(const std::shared_ptr<NodeCache>& shared, uint64_t seed, uint64_t operations) {
  NodeCache& cache = *shared;
  std::shared_ptr<CachedDataset> dataset;
  std::unique_ptr<BlobCache> blobs;
  for (uint64_t i = 0; i < operations; ++i) {
    const uint64_t draw = Mix64(seed + i);
    if (dataset == nullptr || draw % 50 == 0) {
      dataset = nullptr;
      blobs = nullptr;
      const std::string name = "dataset " + std::to_string(draw / 50 % kDatasets);
      if ((dataset = cache.Use(name)) == nullptr) continue;
      if (auto made = cache.Use(name + " [recipe]"))
        blobs = std::make_unique<BlobCache>(shared, std::move(made), "mem://store", "recipe");
    }
    const uint64_t n = draw / 1000 % kEntries;
    const std::string etag = draw % 40 == 1 ? "\"other\"" : "\"e\"";
    const testing::KnownEntry entry(n, SizeOf(n), etag);
    if (blobs != nullptr && draw / 7 % 3 == 0) {
      UseBlob(*blobs, n, etag);
    } else if (!testing::Has(cache, *dataset, entry)) {  // throws at a wrong byte
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
        Work(cache, Mix64(seed * kThreads + static_cast<uint64_t>(t)), operations);
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
