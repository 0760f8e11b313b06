#include "bucketline/cache/caching_store.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bucketline/cache/entry.h"
#include "bucketline/store/parked_call.h"
#include "bucketline/store/read_rules.h"
#include "bucketline/store/store_call.h"

namespace bucketline {
namespace {

constexpr size_t kThreads = 4;

EntryId IdOf(const std::string& place, const GetRequest& request) {
  uint64_t length = request.length.value_or(EntryId::kToEnd);
  if (!request.length && request.pin.size && request.offset <= *request.pin.size)
    length = *request.pin.size - request.offset;
  return EntryId(place, request.key, request.offset, length, request.pin.etag);
}

}  // namespace

// The reader's sink, whose memory it remembers until the bytes are on the disk.
class CachingStore::Sink : public GetSink {
 public:
  explicit Sink(std::shared_ptr<GetSink> inner) : inner_(std::move(inner)) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    Result<std::span<uint8_t>> memory = inner_->Begin(size, object);
    if (memory) memory_ = *memory;
    return memory;
  }
  std::shared_ptr<GetSink> Second() override {
    std::shared_ptr<GetSink> second = inner_->Second();
    return second == nullptr ? nullptr : std::make_shared<Sink>(std::move(second));
  }
  void TakeFrom(GetSink& second) override {
    auto& other = static_cast<Sink&>(second);
    inner_->TakeFrom(*other.inner_);
    std::swap(memory_, other.memory_);
  }

  std::span<const uint8_t> memory() const { return memory_; }

 private:
  const std::shared_ptr<GetSink> inner_;
  std::span<uint8_t> memory_;
};

// One Get that may be cached.
struct CachingStore::Read {
  GetRequest request;
  std::shared_ptr<GetSink> sink;
  std::function<void(Result<ObjectInfo>)> done;
  CallTracker::Ticket ticket;
  CallStop stop;
  EntryId id;
  std::shared_ptr<Sink> memory = nullptr;  // of the fetch
  bool leads = false;                      // others may wait for it
  bool waited = false;                     // for another one
};

// Tells the store what it is about to change.
class CachingStore::Writer : public ObjectWriter {
 public:
  Writer(CachingStore& store, std::string key, std::unique_ptr<ObjectWriter> inner)
      : store_(store), key_(std::move(key)), inner_(std::move(inner)) {}
  void Write(std::span<const uint8_t> data) override { inner_->Write(data); }
  ObjectInfo Commit() override {
    store_.Changed(key_);
    return inner_->Commit();
  }
  void Abort() override { inner_->Abort(); }

 private:
  CachingStore& store_;
  const std::string key_;
  const std::unique_ptr<ObjectWriter> inner_;
};

CachingStore::CachingStore(std::shared_ptr<ObjectStore> inner, std::shared_ptr<NodeCache> cache,
                           std::shared_ptr<CachedDataset> dataset, std::string place, bool keeps_pixels)
    : inner_(std::move(inner)),
      cache_(std::move(cache)),
      dataset_(std::move(dataset)),
      place_(std::move(place)),
      keeps_pixels_(keeps_pixels),
      threads_(kThreads, "bl-cache") {}

CachingStore::~CachingStore() { threads_.Finish(); }

std::shared_ptr<BlobCache> CachingStore::OpenBlobs(const std::string& recipe) const {
  std::shared_ptr<CachedDataset> made =
      cache_->Use(fmt::format("{} [{}]", dataset_->folder().name(), recipe));
  if (made == nullptr) return nullptr;
  return std::make_shared<BlobCache>(cache_, std::move(made), place_, recipe);
}

void CachingStore::List(ListRequest request, std::function<void(Result<ListPage>)> done) {
  auto ended = PassOn<ListPage>(threads_.tracker(), &request.stop, std::move(done));
  inner_->List(std::move(request), std::move(ended));
}

void CachingStore::Head(std::string key, std::function<void(Result<ObjectInfo>)> done) {
  auto ended = PassOn<ObjectInfo>(threads_.tracker(), nullptr, std::move(done));
  inner_->Head(std::move(key), std::move(ended));
}

void CachingStore::Delete(std::string key, std::function<void(Result<void>)> done) {
  Changed(key);
  auto ended = PassOn<void>(threads_.tracker(), nullptr, std::move(done));
  inner_->Delete(std::move(key), std::move(ended));
}

std::unique_ptr<ObjectWriter> CachingStore::OpenWriter(std::string key, WriteCondition condition) {
  std::unique_ptr<ObjectWriter> writer = inner_->OpenWriter(key, std::move(condition));
  return std::make_unique<Writer>(*this, std::move(key), std::move(writer));
}

void CachingStore::Changed(const std::string& key) {
  std::lock_guard lock(mutex_);
  changed_.insert(key);
}

bool CachingStore::MayCache(const GetRequest& request) const {
  if (request.pin.etag.empty() || !request.pin.version.empty()) return false;
  std::lock_guard lock(mutex_);
  return changed_.empty() || !changed_.contains(request.key);
}

void CachingStore::Get(GetRequest request, std::shared_ptr<GetSink> sink,
                       std::function<void(Result<ObjectInfo>)> done) {
  if (!MayCache(request)) {
    auto ended = PassOn<ObjectInfo>(threads_.tracker(), &request.stop, std::move(done));
    inner_->Get(std::move(request), std::move(sink), std::move(ended));
    return;
  }
  EntryId id = IdOf(place_, request);
  CallStop stop{request.stop, threads_.tracker().stop_token()};
  auto read = std::make_shared<Read>(Read{.request = std::move(request),
                                          .sink = std::move(sink),
                                          .done = std::move(done),
                                          .ticket = threads_.tracker().Enter(),
                                          .stop = std::move(stop),
                                          .id = std::move(id)});
  threads_.Run([this, read = std::move(read)] { LookUp(read); });
}

void CachingStore::LookUp(const ReadPtr& read) {
  const Result<void> looked = Catch([&] {
    read->stop.Check(UriOf(read->request.key));
    if (ReadFromDisk(read)) return;
    if (WaitForSame(read)) return;
    if (read->leads && ReadFromDisk(read))
      return;  // another one may have kept it, and gone, between these two
    Fetch(read);
  });
  if (!looked) Finish(read, looked.error().WithUri(UriOf(read->request.key)));
}

// True when the read is done.
bool CachingStore::ReadFromDisk(const ReadPtr& read) {
  std::optional<EntryReader> entry = cache_->Find(*dataset_, read->id);
  if (!entry) return false;
  if (entry->state() == EntryReader::State::kWanted) {
    ObjectInfo object = entry->object();
    object.key = read->request.key;
    const uint64_t length = LengthToRead(read->request, object);
    NodeCache::Bytes bytes = NodeCache::Bytes::kDamaged;
    if (length == entry->payload_size()) bytes = cache_->Read(*entry, BeginRead(*read->sink, length, object));
    if (bytes == NodeCache::Bytes::kFailed) return false;
    if (bytes == NodeCache::Bytes::kWhole) {
      cache_->counters().hits.Add();
      cache_->counters().hit_bytes.Add(length);
      read->sink->NoteCache(true);
      Finish(read, std::move(object));
      return true;
    }
  }
  if (entry->state() != EntryReader::State::kOther) cache_->counters().damaged.Add();
  cache_->Drop(*dataset_, read->id, *entry);
  return false;
}

// True when another read fetches these bytes already: this one looks again when it has. One that has waited once, and found
// nothing, waits for nobody.
bool CachingStore::WaitForSame(const ReadPtr& read) {
  if (read->waited || !read->request.keep ||
      !cache_->Accepts(read->request.length.value_or(read->request.pin.size.value_or(0))))
    return false;
  std::unique_lock lock(mutex_);
  const auto [entry, leads] = waiting_.try_emplace(read->id.range() + read->id.etag());
  if (leads) {
    read->leads = true;
    return false;
  }
  read->waited = true;
  cache_->counters().shared.Add();
  entry->second.push_back(
      ParkedCall::Park(threads_, read->request.stop, [this, read](bool) { LookUp(read); }));
  return true;
}

void CachingStore::Fetch(const ReadPtr& read) {
  read->memory = std::make_shared<Sink>(read->sink);
  GetRequest request = read->request;
  auto ended = PassOn<ObjectInfo>(threads_.tracker(), &request.stop, [this, read](Result<ObjectInfo> result) {
    Fetched(read, std::move(result));
  });
  inner_->Get(std::move(request), read->memory, std::move(ended));
}

// On a thread of the inner store, which must not wait for a disk.
void CachingStore::Fetched(const ReadPtr& read, Result<ObjectInfo> result) {
  const size_t bytes = read->memory->memory().size();
  if (result) {
    cache_->counters().misses.Add();
    cache_->counters().miss_bytes.Add(bytes);
    read->sink->NoteCache(false);
  }
  if (!result || !read->request.keep || result->etag != read->request.pin.etag)
    return Finish(read, std::move(result));
  if (!cache_->Accepts(bytes)) {
    cache_->counters().full.Add();
    return Finish(read, std::move(result));
  }
  threads_.Run([this, read, result = std::move(result)]() mutable {
    cache_->Add(*dataset_, read->id, *result, read->memory->memory());
    Finish(read, std::move(result));
  });
}

void CachingStore::Finish(const ReadPtr& read, Result<ObjectInfo> result) {
  if (read->leads) {
    std::vector<std::shared_ptr<ParkedCall>> waiting;
    {
      std::lock_guard lock(mutex_);
      const auto entry = waiting_.find(read->id.range() + read->id.etag());
      waiting = std::move(entry->second);
      waiting_.erase(entry);
    }
    for (const auto& call : waiting) call->Release();
  }
  read->done(std::move(result));
  read->done = nullptr;
  read->sink = nullptr;
  read->memory = nullptr;
  CallTracker::Ticket last = std::move(read->ticket);  // the store may be gone once this is
}

}  // namespace bucketline
