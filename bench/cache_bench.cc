// cache_bench FOLDER [OBJECTS BYTES ROUNDS]: CPU time of a hit in the cache, beside a plain read of the same bytes.
//   plain  open, pread and close of a file of so many bytes, one thread
//   hit    a Get of a CachingStore, 32 at a time, all threads together
// Both of OBJECTS different objects below FOLDER, into memory that is used again; each is the best of ROUNDS rounds, in turns.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "bucketline/base/random.h"
#include "bucketline/cache/caching_store.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Work {
  std::vector<ObjectInfo> objects;
  std::string folder;
  uint64_t bytes = 0;
};

class BufferSink : public GetSink {
 public:
  explicit BufferSink(uint64_t bytes) : buffer_(bytes) {}
  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo&) override {
    return std::span(buffer_).first(size);
  }

 private:
  std::vector<uint8_t> buffer_;
};

double Plain(const Work& work) {
  std::vector<uint8_t> buffer(work.bytes);
  const double start = CpuMicros();
  for (const ObjectInfo& object : work.objects) {
    const UniqueFd file(::open((work.folder + "/" + object.key).c_str(), O_RDONLY | O_CLOEXEC));
    if (::pread(file.get(), buffer.data(), work.bytes, 0) != static_cast<ssize_t>(work.bytes)) std::abort();
  }
  return (CpuMicros() - start) / static_cast<double>(work.objects.size());
}

// Each Get that ends begins the next one.
class Reader {
 public:
  Reader(ObjectStore& store, const Work& work) : store_(store), work_(work) {}

  double Run(size_t at_once) {
    const double start = CpuMicros();
    running_ = at_once;
    for (size_t i = 0; i < at_once; ++i) Next(std::make_shared<BufferSink>(work_.bytes));
    over_.get_future().wait();
    return (CpuMicros() - start) / static_cast<double>(work_.objects.size());
  }

 private:
  void Next(const std::shared_ptr<GetSink>& sink) {
    const size_t number = next_++;
    if (number >= work_.objects.size()) {
      if (--running_ == 0) over_.set_value();
      return;
    }
    const ObjectInfo& object = work_.objects[number];
    GetRequest request{.key = object.key};
    request.pin = {.etag = object.etag, .size = object.size};
    store_.Get(std::move(request), sink, [this, sink](const Result<ObjectInfo>& result) {
      if (!result) std::abort();
      Next(sink);
    });
  }

  ObjectStore& store_;
  const Work& work_;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> running_{0};
  std::promise<void> over_;
};

int Main(const std::string& folder, uint64_t objects, uint64_t bytes, int rounds) {
  Work work{.objects = {}, .folder = folder + "/plain", .bytes = bytes};
  std::filesystem::create_directories(work.folder);
  const std::shared_ptr<ObjectStore> far = MakeMemoryStore("far");
  std::vector<uint8_t> data(bytes);
  for (uint64_t i = 0; i < objects; ++i) {
    for (uint64_t j = 0; j + 8 <= bytes; j += 8) {
      const uint64_t word = Mix64(i * bytes + j);
      std::copy_n(reinterpret_cast<const uint8_t*>(&word), 8, data.begin() + static_cast<ptrdiff_t>(j));
    }
    const std::string key = std::to_string(i);
    work.objects.push_back(PutBytes(*far, key, data));
    work.objects.back().key = key;
    std::ofstream(work.folder + "/" + key, std::ios::binary)
        .write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(bytes));
  }
  const auto cache =
      NodeCache::Open({.folder = folder + "/cache", .limit = objects * bytes * 2 + (uint64_t{16} << 20)});
  CachingStore store(far, cache, cache->Use("bench"), "mem://far");
  Reader(store, work).Run(32);
  double plain = 1e30, hit = 1e30;
  for (int round = 0; round < rounds; ++round) {
    plain = std::min(plain, Plain(work));
    hit = std::min(hit, Reader(store, work).Run(32));
  }
  if (cache->counters().hits.value() != objects * static_cast<uint64_t>(rounds)) return 1;
  std::printf(
      "{\"objects\": %zu, \"bytes\": %zu, \"plain_us\": %.2f, \"hit_us\": %.2f, \"overhead_us\": %.2f}\n",
      static_cast<size_t>(objects), static_cast<size_t>(bytes), plain, hit, hit - plain);
  return 0;
}

}  // namespace
}  // namespace bucketline

int main(int argc, char** argv) {
  if (argc != 2 && argc != 5) {
    std::fprintf(stderr, "usage: cache_bench FOLDER [OBJECTS BYTES ROUNDS]\n");
    return 2;
  }
  const bool given = argc == 5;
  return bucketline::Main(argv[1], given ? std::stoull(argv[2]) : 500, given ? std::stoull(argv[3]) : 110'000,
                          given ? std::stoi(argv[4]) : 20);
}
