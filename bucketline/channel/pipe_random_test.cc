// Readers of every kind, in any order, on a store that fails or is late, against a plain model.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"
#include "bucketline/base/soak_testing.h"
#include "bucketline/channel/pipe_channel.h"
#include "bucketline/channel/pipe_testing.h"
#include "bucketline/sampler/permutation.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/latency_store.h"

namespace bucketline {
namespace {

using testing::PipeReader;

class Draw {
 public:
  explicit Draw(uint64_t seed) : seed_(Mix64(seed + 1)) {}
  uint64_t Below(uint64_t n) { return Mix64(seed_ + ++count_) % n; }

 private:
  const uint64_t seed_;
  uint64_t count_ = 0;
};

// RecordIO as its description has it.
std::string Framed(const std::string& bytes) {
  std::string record("\x0a\x23\xd7\xce", 4);
  for (int i = 0; i < 4; ++i) record += static_cast<char>(bytes.size() >> (8 * i));
  record += bytes;
  while (record.size() % 4 != 0) record += '\0';
  return record;
}

// What is served, and what every epoch of it must be.
struct Model {
  explicit Model(Draw* draw) {
    const uint64_t count = draw->Below(30);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t size = draw->Below(10) == 0 ? draw->Below(600'000) : draw->Below(3000);
      objects["p/" + std::to_string(draw->Below(10'000))] = testing::Ramp(size, i);
    }
    objects["p/0"] = testing::Ramp(100, 77);
    spec = testing::PipeSpec("mem://served/p/");
    if (draw->Below(2) == 0) spec.wrapper = ChannelWrapper::kRecordIo;
    if (draw->Below(3) == 0) spec.shuffle_seed = static_cast<int64_t>(draw->Below(100));
    host.count = 1 + draw->Below(3);
    host.index = draw->Below(host.count);
    spec.sharded = host.count > 1;
  }

  std::string Epoch(uint64_t epoch) const {
    std::vector<const std::string*> list;
    for (const auto& [key, bytes] : objects) list.push_back(&bytes);
    std::string all;
    for (uint64_t position = host.index; position < list.size(); position += host.count) {
      const uint64_t entry =
          spec.shuffle_seed
              ? Permutation(list.size(), static_cast<uint64_t>(*spec.shuffle_seed), epoch).At(position)
              : position;
      all += spec.wrapper == ChannelWrapper::kRecordIo ? Framed(*list[entry]) : *list[entry];
    }
    return all;
  }

  std::map<std::string, std::string> objects;
  ChannelSpec spec;
  ChannelHost host;
};

// One run, in a bucket and a folder of its own.
class PipeRandomRun : public testing::PipeChannelTest {
 public:
  // What the reader got; `ended` when it saw the end. Gives up once the channel has failed.
  struct Got {
    std::string bytes;
    bool ended = false;
  };

  Got ReadSome(PipeReader& reader, size_t most) {
    Got got;
    const auto end = std::chrono::steady_clock::now() + testing::kPipeDeadline;
    while (got.bytes.size() < most && !got.ended) {
      if (!testing::PollFor(reader.fd(), POLLIN, std::chrono::milliseconds(20))) {
        if (!failures_.Now().empty()) return got;
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error("nothing comes");
        continue;
      }
      const std::string piece = reader.Read(1);
      got.ended = piece.empty();
      got.bytes += piece;
      if (!got.ended) got.bytes += reader.ReadNow(most - got.bytes.size());
    }
    return got;
  }

  // A training process: epochs in order, each read to its end, left, dropped unread, or kept open beside the next.
  void Train(const Model& model, bool reliable, Draw* draw) {
    std::vector<PipeReader> kept;
    const uint64_t epochs = draw->Below(5);
    for (uint64_t epoch = 0; epoch < epochs; ++epoch) {
      const bool blocking = reliable && draw->Below(2) == 0;  // after a failure its open might wait for ever
      const auto kind = blocking ? PipeReader::Kind::kBlocking : PipeReader::Kind::kNonBlocking;
      PipeReader reader(Path(epoch), kind);
      const std::string whole = model.Epoch(epoch);
      const uint64_t habit = draw->Below(8);
      if (habit == 0) continue;  // dropped unread
      const bool leaves = habit < 4;
      const Got got = ReadSome(reader, leaves ? draw->Below(whole.size() + 1) : SIZE_MAX);
      EXPECT_EQ(got.bytes, whole.substr(0, got.bytes.size()));
      const bool failed = !failures_.Now().empty();
      EXPECT_TRUE(!got.ended || got.bytes.size() == whole.size());
      EXPECT_TRUE(leaves || got.ended || failed);
      if (failed) return;
      if (habit == 1 && kept.empty()) kept.push_back(std::move(reader));
    }
  }

  void RunOnce(uint64_t seed) {
    Draw draw(seed);
    const Model model(&draw);
    for (const auto& [key, bytes] : model.objects) bucket_.Put(key, bytes);
    const double rate = draw.Below(3) == 0 ? 0.05 : 0;
    const FaultScript script =
        [random = AtRandom(seed, rate, Fault::FailBefore(Error(ErrorCode::kUnavailable, "down")))](
            const StoreCall& call, uint64_t number) {
          return call.op == StoreOp::kGet ? random(call, number) : Fault::None();
        };
    std::shared_ptr<ObjectStore> store = std::make_shared<FaultStore>(bucket_.store(), script);
    if (draw.Below(3) == 0) {
      store =
          std::make_shared<LatencyStore>(store, FixedLatency(std::chrono::microseconds(draw.Below(2000))));
    }
    bucket_.runtime().AddStore("served", store);
    Dataset::Open(bucket_.runtime(), model.spec.uri, {.extensions = {}});  // starts the threads that stay
    const size_t descriptors = testing::OpenDescriptors();
    const size_t threads = testing::Threads();
    PipeOptions options;
    options.memory = PipeChannel::kLeastMemory << draw.Below(3);
    options.requests = 1 + draw.Below(8);
    options.pipe_size = 4096 << draw.Below(5);
    {
      const auto channel = Serve(model.spec, options, model.host);
      Train(model, rate == 0, &draw);
      EXPECT_LE(failures_.Now().size(), rate > 0 ? 1u : 0u);
    }
    EXPECT_EQ(testing::CountIn(folder_.path().c_str()), 0u);
    EXPECT_EQ(testing::OpenDescriptors(), descriptors);
    EXPECT_TRUE(testing::AwaitThreads(threads));
  }

  void TestBody() override {}
};

TEST(PipeRandomRuns, ReadersSeeExactlyTheBytesOrAFailureAndNothingLeaks) {
  const int runs = testing::SoakCount("BUCKETLINE_SOAK_CHANNELS", 30);
  for (int run = 0; run < runs && !::testing::Test::HasFailure(); ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    PipeRandomRun().RunOnce(static_cast<uint64_t>(run));
  }
}

}  // namespace
}  // namespace bucketline
