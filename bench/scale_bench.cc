// scale_bench MANIFEST IMAGE    what a data set of this size costs, as JSON: a step of the epoch's permutation
//                               and of a window of 16 shards, opening, and going on at the beginning and at 90 % of an epoch
// MANIFEST is of `bucketline index --synthetic`; each of its objects is read as the bytes of IMAGE, padded.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/saved_manifest.h"
#include "bucketline/dataset/shards_of.h"
#include "bucketline/loader/loader.h"
#include "bucketline/sampler/permutation.h"
#include "bucketline/sampler/window_order.h"
#include "bucketline/store/object_store.h"
#include "bucketline/store/store_threads.h"

namespace {

using namespace bucketline;
using Seconds = std::chrono::duration<double>;

template <typename Work>
double SecondsOf(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return Seconds(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What it costs on a machine that does nothing else.
double Least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

// Any object of the size and ETag that are asked for.
class PaddedImage : public ObjectStore {
 public:
  explicit PaddedImage(std::vector<char> image) : image_(std::move(image)) {}

  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    const std::stop_token stop = request.stop;
    threads_.Call(
        stop, request.key,
        [this, request = std::move(request), sink = std::move(sink)](const CallStop&) {
          ObjectInfo object;
          object.key = request.key;
          object.size = request.pin.size.value();
          object.etag = request.pin.etag;
          const std::span<uint8_t> memory = sink->Begin(object.size, object).ValueOrThrow();
          const size_t count = std::min(image_.size(), memory.size());
          std::copy_n(image_.begin(), count, memory.begin());
          std::fill(memory.begin() + static_cast<ptrdiff_t>(count), memory.end(), uint8_t{0});
          return object;
        },
        std::move(done));
  }
  void List(ListRequest, std::function<void(Result<ListPage>)> done) override { Refuse<ListPage>(done); }
  void Head(std::string, std::function<void(Result<ObjectInfo>)> done) override { Refuse<ObjectInfo>(done); }
  void Delete(std::string, std::function<void(Result<void>)> done) override { Refuse<void>(done); }
  std::unique_ptr<ObjectWriter> OpenWriter(std::string, WriteCondition) override { throw Unsupported(); }
  std::string UriOf(std::string_view key) const override { return "mem://synthetic/" + std::string(key); }

 private:
  static Error Unsupported() { return Error(ErrorCode::kUnsupported, "this bucket can only be read"); }
  template <typename T>
  void Refuse(std::function<void(Result<T>)> done) {
    threads_.Call({}, "", [](const CallStop&) -> T { throw Unsupported(); }, std::move(done));
  }

  const std::vector<char> image_;
  StoreThreads threads_{2, "bl-padded"};
};

// A step of an order that is asked for one position after the other of `records`.
template <typename At>
double StepNanoseconds(uint64_t records, At at) {
  constexpr uint64_t kSteps = 50'000;  // some milliseconds: few of these are interrupted
  std::vector<double> runs;
  for (uint64_t run = 0; run < 100; ++run) {
    uint64_t sum = 0;
    const uint64_t first = run * kSteps;
    const double seconds = SecondsOf([&] {
      for (uint64_t i = first; i < first + kSteps; ++i) sum += at(i % records);
    });
    if (sum == 0 && records > 1) throw std::runtime_error("the permutation is none");
    runs.push_back(seconds / kSteps * 1e9);
  }
  return Least(runs);
}

// From a new loader, told to go on at one of the batches from this share of the epoch on, to its first batch. Objects differ
// in size, and so do batches: each run takes another one.
double ResumeSeconds(const Dataset& dataset, double share, uint64_t run) {
  const uint64_t batches = dataset.size() / 32;
  const uint64_t batch =
      static_cast<uint64_t>(static_cast<double>(batches) * share) + run % (batches / 16 + 1);
  const uint64_t position = batch * 32;
  return SecondsOf([&] {
    Loader loader(dataset, {.batch_size = 32, .image = {.height = 64, .width = 64}, .shuffle = true});
    LoaderState state = loader.State();
    state.position = position;
    loader.Restore(state);
    if (!loader.Next()) throw std::runtime_error("there is no batch");
  });
}

void Measure(const std::string& path, const std::string& image) {
  RuntimeOptions runtime_options;
  runtime_options.log = LogToNowhere();
  Runtime runtime(runtime_options);
  std::ifstream file(image, std::ios::binary);
  runtime.AddStore("synthetic", std::make_shared<PaddedImage>(
                                    std::vector<char>(std::istreambuf_iterator<char>(file), {})));
  std::string first;
  std::vector<double> opened;
  for (int run = 0; run < 5; ++run) {
    opened.push_back(SecondsOf([&] { first = ReadManifest(runtime, Uri::Parse(path)).Key(0); }));
  }
  const Dataset dataset = Dataset::Open(runtime, path);
  std::optional<WindowOrder> window;
  const double window_seconds = SecondsOf([&] { window.emplace(ShardsOf(dataset), 16, 1); });
  WindowWalk walk(*window);
  const double epoch_seconds = SecondsOf([&] { static_cast<void>(walk.At(0, 0)); });
  const Permutation order(dataset.size(), 1, 1);
  std::vector<double> at_start;
  std::vector<double> later;
  for (uint64_t run = 0; run < 40; ++run) {  // in turns, because machines are noisy
    at_start.push_back(ResumeSeconds(dataset, 0, run));
    later.push_back(ResumeSeconds(dataset, 0.9, run));
  }
  fmt::print(
      R"({{"records": {}, "at_nanoseconds": {:.1f}, "open_seconds": {:.6f}, "resume_seconds_at_0": {:.6f}, )"
      R"("resume_seconds_at_90": {:.6f}, "window_at_nanoseconds": {:.1f}, "window_seconds": {:.6f}, )"
      R"("window_epoch_seconds": {:.6f}, "window_bytes_per_record": {:.3f}}})"
      "\n",
      dataset.size(), StepNanoseconds(dataset.size(), [&](uint64_t i) { return order.At(i); }), Least(opened),
      Median(at_start), Median(later),
      StepNanoseconds(dataset.size(), [&](uint64_t i) { return walk.At(0, i); }), window_seconds,
      epoch_seconds,
      static_cast<double>(window->shards().bytes() + 4 * window->groups()) /
          static_cast<double>(dataset.size()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: scale_bench MANIFEST IMAGE\n");
    return 2;
  }
  try {
    Measure(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scale_bench: %s\n", error.what());
    return 1;
  }
}
