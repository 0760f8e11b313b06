#include "bucketline/cache/caching_store.h"

#include <atomic>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/base/units.h"
#include "bucketline/cache/cache_testing.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/latency_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using testing::Completion;
using testing::RampBytes;
using testing::VectorSink;

// What the caches on the way say of a read: 'h' for a hit, 'm' for a miss.
class NotedSink : public VectorSink {
 public:
  void NoteCache(bool hit) override { notes += hit ? 'h' : 'm'; }

  std::string notes;
};

// A sink whose memory its second one exchanges with it.
class SwappedSink : public GetSink {
 public:
  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo&) override {
    bytes.resize(size);
    return std::span<uint8_t>(bytes);
  }
  std::shared_ptr<GetSink> Second() override { return std::make_shared<SwappedSink>(); }
  void TakeFrom(GetSink& second) override { bytes.swap(static_cast<SwappedSink&>(second).bytes); }

  std::vector<uint8_t> bytes;
};

// Fills the second sink and gives its bytes to the first.
class HedgingStore : public RecordingStore {
 public:
  using RecordingStore::RecordingStore;
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    const std::shared_ptr<GetSink> second = sink->Second();
    RecordingStore::Get(std::move(request), second,
                        [sink, second, done = std::move(done)](const Result<ObjectInfo>& result) {
                          std::vector<uint8_t> garbage(result->size, 0xee);
                          std::ranges::copy(garbage, sink->Begin(result->size, *result)->begin());
                          sink->TakeFrom(*second);
                          done(result);
                        });
  }
};

// Its Gets begin when the test lets them.
class HeldStore : public RecordingStore {
 public:
  using RecordingStore::RecordingStore;
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    {
      std::lock_guard lock(mutex_);
      if (!open_) {
        held_.push_back([this, request, sink, done] { RecordingStore::Get(request, sink, done); });
        return;
      }
    }
    RecordingStore::Get(std::move(request), std::move(sink), std::move(done));
  }
  void Open() {
    std::vector<std::function<void()>> held;
    {
      std::lock_guard lock(mutex_);
      open_ = true;
      held.swap(held_);
    }
    for (const auto& begin : held) begin();
  }

 private:
  std::mutex mutex_;
  bool open_ = false;
  std::vector<std::function<void()>> held_;
};

class CachingStoreTest : public ::testing::Test {
 protected:
  CachingStoreTest() {
    memory_ = MakeMemoryStore("data");
    data_ = RampBytes(10'000);
    info_ = PutBytes(*memory_, "k", data_);
  }

  void Make(const std::shared_ptr<ObjectStore>& far) {
    store_ = nullptr;
    inner_ = std::make_shared<RecordingStore>(far);
    MakeOn(inner_);
  }
  void MakeOn(const std::shared_ptr<ObjectStore>& inner) {
    cache_ = NodeCache::Open({.folder = folder_.Path("cache"), .limit = 64_MiB, .log = LogToNowhere()});
    store_ = std::make_shared<CachingStore>(inner, cache_, cache_->Use("mem://data/"), "mem://data");
  }
  GetRequest Pinned() const {
    GetRequest request{.key = "k"};
    request.pin = {.etag = info_.etag, .size = info_.size};
    return request;
  }
  std::vector<uint8_t> Read(GetRequest request) {
    const Bytes bytes = GetBytes(*store_, std::move(request));
    return {bytes.span().begin(), bytes.span().end()};
  }
  // All of them ask before the first is answered, which the others then wait for.
  std::vector<Completion<ObjectInfo>> ReadAtOnce(const std::shared_ptr<ObjectStore>& far,
                                                 const std::vector<std::shared_ptr<VectorSink>>& sinks) {
    const auto held = std::make_shared<HeldStore>(far);
    inner_ = held;
    MakeOn(inner_);
    std::vector<Completion<ObjectInfo>> done(sinks.size());
    for (size_t i = 0; i < sinks.size(); ++i) store_->Get(Pinned(), sinks[i], done[i].Done());
    const SteadyTime end = Clock::Real().Now() + std::chrono::seconds(120);
    const auto shared = [&] { return cache_->counters().shared.value(); };
    while (shared() < sinks.size() - 1 && Clock::Real().Now() < end) std::this_thread::yield();
    EXPECT_EQ(shared(), sinks.size() - 1);
    held->Open();
    for (auto& one : done) EXPECT_TRUE(one.WaitFor());
    return done;
  }
  static std::vector<std::shared_ptr<VectorSink>> Sinks(size_t count) {
    std::vector<std::shared_ptr<VectorSink>> sinks;
    while (sinks.size() < count) sinks.push_back(std::make_shared<VectorSink>());
    return sinks;
  }
  size_t InnerGets() const { return inner_->CountOf(StoreOp::kGet); }
  std::string OnlyEntry() const { return testing::OnlyEntryOf(folder_.Path("cache")); }

  testing::TempFolder folder_;
  std::shared_ptr<ObjectStore> memory_;
  std::shared_ptr<RecordingStore> inner_;
  std::shared_ptr<NodeCache> cache_;
  std::shared_ptr<CachingStore> store_;
  std::vector<uint8_t> data_;
  ObjectInfo info_;
};

TEST_F(CachingStoreTest, TheReaderIsToldWhereItsBytesCameFrom) {
  Make(memory_);
  const auto notes_of = [&](GetRequest request) {
    auto sink = std::make_shared<NotedSink>();
    Completion<ObjectInfo> done;
    store_->Get(std::move(request), sink, done.Done());
    EXPECT_TRUE(done.Wait());
    return sink->notes;
  };
  EXPECT_EQ(notes_of(Pinned()), "m");
  EXPECT_EQ(notes_of(Pinned()), "h");
  EXPECT_EQ(notes_of({.key = "k"}), "") << "no cache may have it";
}

TEST_F(CachingStoreTest, WhatTheReaderDoesNotWantKeptIsNotKeptButReadIfItIsThere) {
  Make(memory_);
  GetRequest request = Pinned();
  request.keep = false;
  EXPECT_EQ(Read(request), data_);
  EXPECT_EQ(OnlyEntry(), "");
  EXPECT_EQ(Read(Pinned()), data_);
  EXPECT_EQ(InnerGets(), 2u);
  EXPECT_EQ(Read(request), data_);
  EXPECT_EQ(InnerGets(), 2u);
}

TEST_F(CachingStoreTest, WhatWasReadOnceIsReadFromTheDisk) {
  Make(memory_);
  EXPECT_EQ(Read(Pinned()), data_);
  EXPECT_EQ(InnerGets(), 1u);
  auto sink = std::make_shared<VectorSink>();
  Completion<ObjectInfo> done;
  store_->Get(Pinned(), sink, done.Done());
  const Result<ObjectInfo> got = done.Wait();
  ASSERT_TRUE(got);
  EXPECT_EQ(sink->bytes(), data_);
  EXPECT_EQ(InnerGets(), 1u);
  for (const ObjectInfo& info : {*got, sink->begun_object()}) {
    EXPECT_EQ(info.key, "k");
    EXPECT_EQ(info.size, info_.size);
    EXPECT_EQ(info.etag, info_.etag);
    EXPECT_EQ(info.last_modified, info_.last_modified);
  }
  EXPECT_EQ(cache_->counters().hits.value(), 1u);
  EXPECT_EQ(cache_->counters().hit_bytes.value(), data_.size());
  EXPECT_EQ(cache_->counters().misses.value(), 1u);
  EXPECT_EQ(cache_->counters().miss_bytes.value(), data_.size());

  Make(memory_);  // as another job would
  EXPECT_EQ(Read(Pinned()), data_);
  EXPECT_EQ(InnerGets(), 0u);
}

TEST_F(CachingStoreTest, RangesAreEntriesOfTheirOwn) {
  Make(memory_);
  for (int round = 0; round < 2; ++round) {
    for (const uint64_t offset : {0, 100, 9000}) {
      GetRequest request = Pinned();
      request.offset = offset;
      request.length = 1000;
      const std::vector<uint8_t> expected(data_.begin() + static_cast<ptrdiff_t>(offset),
                                          data_.begin() + static_cast<ptrdiff_t>(offset + 1000));
      EXPECT_EQ(Read(request), expected);
    }
  }
  EXPECT_EQ(InnerGets(), 3u);
  GetRequest to_end = Pinned();
  to_end.offset = 9000;
  EXPECT_EQ(Read(to_end), Read(to_end));
  EXPECT_EQ(InnerGets(), 3u) << "the same bytes, said in another way";
}

TEST_F(CachingStoreTest, OnlyReadsThatAreBoundToAnEtagAreCached) {
  Make(memory_);
  GetRequest by_size{.key = "k"};
  by_size.pin.size = info_.size;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Read({.key = "k"}), data_);
    EXPECT_EQ(Read(by_size), data_);
  }
  EXPECT_EQ(InnerGets(), 4u);
  EXPECT_EQ(cache_->counters().stored.value(), 0u);
}

TEST_F(CachingStoreTest, ThePinnedStateIsServedAndNoOther) {
  Make(memory_);
  const GetRequest old = Pinned();
  EXPECT_EQ(Read(old), data_);
  const std::vector<uint8_t> newer = RampBytes(10'000, 5);
  info_ = PutBytes(*memory_, "k", newer);  // by somebody else
  EXPECT_EQ(Read(old), data_) << "the state that was asked for";
  EXPECT_EQ(Read(Pinned()), newer);
  EXPECT_EQ(Read(Pinned()), newer);
  EXPECT_EQ(InnerGets(), 2u);
  GetRequest wrong_size = Pinned();
  wrong_size.pin.size = 9;
  EXPECT_THROW(Read(wrong_size), Error);
}

TEST_F(CachingStoreTest, WhatItChangedItselfIsReadFromTheStore) {
  Make(memory_);
  EXPECT_EQ(Read(Pinned()), data_);
  DeleteObject(*store_, "k");
  const auto gone = Catch([&] { return Read(Pinned()); });
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), ErrorCode::kNotFound);
}

TEST_F(CachingStoreTest, DamageIsFetchedAgainAndCounted) {
  Make(memory_);
  Read(Pinned());
  const std::string entry = OnlyEntry();
  const auto size = std::filesystem::file_size(entry);
  for (const size_t at : {size_t{0}, size_t{20}, size_t{60}, size / 2, size - 1}) {
    std::fstream file(entry, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 0x40);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.close();
    EXPECT_EQ(Read(Pinned()), data_) << at;
    EXPECT_EQ(Read(Pinned()), data_) << at;
  }
  std::filesystem::resize_file(entry, 0);  // as a loss of power may leave it
  EXPECT_EQ(Read(Pinned()), data_);
  EXPECT_EQ(cache_->counters().damaged.value(), 6u);
  EXPECT_EQ(InnerGets(), 7u);
}

TEST_F(CachingStoreTest, ReadsOfTheSameBytesAtOnceAreOne) {
  const auto sinks = Sinks(8);
  for (auto& one : ReadAtOnce(memory_, sinks)) EXPECT_TRUE(one.Wait());
  for (const auto& sink : sinks) EXPECT_EQ(sink->bytes(), data_);
  EXPECT_EQ(InnerGets(), 1u);
  EXPECT_EQ(cache_->counters().shared.value(), 7u);
}

// Whichever moment the second one comes at: while the first looks, fetches, keeps or ends.
TEST_F(CachingStoreTest, NoMomentLetsAReadThroughTwice) {
  constexpr size_t kKeys = 300;
  std::vector<GetRequest> requests;
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string key = std::to_string(i);
    GetRequest request{.key = key};
    request.pin.etag = PutBytes(*memory_, key, data_).etag;
    requests.push_back(std::move(request));
  }
  Make(memory_);
  std::vector<std::thread> readers;
  std::atomic<size_t> right = 0;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      for (const GetRequest& request : requests) right += Read(request) == data_ ? 1 : 0;
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(right, 3 * kKeys);
  EXPECT_EQ(InnerGets(), kKeys);
}

TEST_F(CachingStoreTest, AReadThatWaitedForOneThatFailedReadsItself) {
  const Fault fault = Fault::FailBefore(Error(ErrorCode::kUnavailable, "down"));
  size_t failed = 0;
  for (auto& one : ReadAtOnce(std::make_shared<FaultStore>(memory_, InTurn({fault})), Sinks(3))) {
    failed += one.Wait() ? 0 : 1;
  }
  EXPECT_EQ(failed, 1u);
}

TEST_F(CachingStoreTest, AReadThatWaitsForAnotherCanBeStopped) {
  Make(std::make_shared<LatencyStore>(memory_, FixedLatency(std::chrono::hours(1))));
  Completion<ObjectInfo> first, second;
  store_->Get(Pinned(), std::make_shared<VectorSink>(), first.Done());
  ASSERT_TRUE(inner_->WaitForInFlight(1, std::chrono::seconds(120)));
  std::stop_source stop;
  GetRequest request = Pinned();
  request.stop = stop.get_token();
  store_->Get(std::move(request), std::make_shared<VectorSink>(), second.Done());
  stop.request_stop();
  EXPECT_EQ(second.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(first.calls(), 0);
  store_ = nullptr;
  EXPECT_EQ(first.Wait().error().code(), ErrorCode::kCancelled);
}

TEST_F(CachingStoreTest, TheAnswerThatWonIsWhatIsKept) {
  inner_ = std::make_shared<HedgingStore>(memory_);
  MakeOn(inner_);
  for (int i = 0; i < 2; ++i) {
    auto sink = std::make_shared<SwappedSink>();
    Completion<ObjectInfo> done;
    store_->Get(Pinned(), sink, done.Done());
    ASSERT_TRUE(done.Wait());
    EXPECT_EQ(sink->bytes, data_);
  }
  EXPECT_EQ(InnerGets(), 1u);
  EXPECT_EQ(cache_->counters().hits.value(), 1u);
}

}  // namespace
}  // namespace bucketline
