#include "bucketline/channel/mount_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/units.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestWindow = uint64_t{64} << 20;
constexpr uint64_t kMostFilesAhead = 128;
constexpr size_t kMostCarried = 64;
constexpr uint64_t kFilesOn = 16;  // after one that is read to its end

uint64_t Checked(uint64_t memory) {
  if (memory >= MountReader::kLeastMemory) return memory;
  throw Error(ErrorCode::kResourceExhausted,
              fmt::format("{} of memory are too little for a mount: {} are the least", FormatByteSize(memory),
                          FormatByteSize(MountReader::kLeastMemory)));
}

}  // namespace

MountReader::MountReader(Dataset dataset, uint64_t memory, LogSink log)
    : dataset_(std::move(dataset)),
      log_(std::move(log)),
      waited_for_(Checked(memory) / 8),
      order_(dataset_.size(), kMostFilesAhead),
      pool_(memory / 4 * 3) {}

std::unique_ptr<MountReader::File> MountReader::Open(uint64_t record) {
  return std::make_unique<File>(*this, record);
}

MountReader::File::File(MountReader& reader, uint64_t record)
    : reader_(reader), record_(record), place_(reader.dataset_.PlaceAt(record)), plan_(place_.part.length) {}

MountReader::File::~File() {
  if (plan_.window() != 0) reader_.open_windows_.fetch_sub(1, std::memory_order_relaxed);
  reader_.pool_.Drop(record_, UINT64_MAX);
}

std::vector<Bytes> MountReader::Read(File& file, uint64_t offset, uint64_t length,
                                     const std::stop_token& stop) {
  std::vector<Bytes> parts;
  if (offset >= file.size()) return parts;
  length = std::min(length, file.size() - offset);
  try {
    ReadAhead(file, {offset, length});
    std::shared_ptr<Reservation> room;
    for (const uint64_t end = offset + length; offset < end; offset += parts.back().size()) {
      if (std::optional<Bytes> part = pool_.Take(file.record_, offset, end - offset, stop)) {
        parts.push_back(*std::move(part));
        continue;
      }
      // Once, for all that may be missing: who waits for room holds none.
      if (!room) room = WaitForRoom(end - offset, stop);
      const uint64_t until = std::min(pool_.NextPiece(file.record_, offset).value_or(end), end);
      parts.push_back(ReadNow(file, {offset, until - offset}, room, stop));
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) Report(file.record_, error);
    throw;
  }
  bytes_read_.fetch_add(length, std::memory_order_relaxed);
  return parts;
}

std::shared_ptr<Reservation> MountReader::WaitForRoom(uint64_t bytes, const std::stop_token& stop) {
  std::optional<Reservation> room = waited_for_.Acquire(bytes, stop);
  if (!room) throw Error(ErrorCode::kCancelled, "the read was stopped");
  return std::make_shared<Reservation>(*std::move(room));
}

std::optional<MountReader::Carried> MountReader::TakeCarried(uint64_t record) {
  std::lock_guard lock(mutex_);
  const auto found = carried_.find(record);
  if (found == carried_.end()) return std::nullopt;
  const Carried carried = found->second;
  carried_.erase(found);
  return carried;
}

void MountReader::Carry(uint64_t record, Carried carried) {
  std::lock_guard lock(mutex_);
  if (carried_.size() == kMostCarried) carried_.erase(carried_.begin());
  carried_.insert_or_assign(record, carried);
}

void MountReader::ReadAhead(File& file, MountRange range) {
  const bool first = !file.begun_.exchange(true) && range.offset == 0;
  const std::optional<Carried> before = first ? TakeCarried(file.record_) : std::nullopt;
  Carried carried;
  uint64_t on = 0;
  {
    std::lock_guard lock(file.mutex_);
    const bool was_open = file.plan_.window() != 0;
    if (before) {
      file.in_run_ = true;
      file.plan_.OpenAtBegin(before->window);
      file.pace_ = before->pace;
    }
    const SteadyTime now = Clock::Real().Now();
    file.plan_.Note(range.offset, range.length, MostAhead(file, now));
    file.pace_.Note(now, range.length);
    const bool is_open = file.plan_.window() != 0;
    if (is_open && !was_open) open_windows_.fetch_add(1, std::memory_order_relaxed);
    if (was_open && !is_open) open_windows_.fetch_sub(1, std::memory_order_relaxed);
    while (const std::optional<MountRange> due = file.plan_.Due()) {
      if (!pool_.Ask(file.record_, file.place_, *due)) break;
      file.plan_.Asked(*due);
    }
    if (const uint64_t behind = file.plan_.behind(); behind != 0) pool_.Drop(file.record_, behind);
    if (file.in_run_ && file.plan_.beyond_end() >= file.reading_on_ + kMountHead) {
      on = file.reading_on_ = file.plan_.beyond_end();
      carried = {.window = file.plan_.window(), .pace = file.pace_};
    }
  }
  if (first) ReadAheadOfOrder(file);
  if (on == 0) return;
  Carry(file.record_ + 1, carried);
  ReadOn(file.record_ + 1, on);
}

// The window of a reader goes on into the files that it is going to read next.
void MountReader::ReadOn(uint64_t record, uint64_t bytes) {
  for (const uint64_t end = std::min(record + kFilesOn, dataset_.size()); bytes > 0 && record < end;
       ++record) {
    const PartPlace place = dataset_.PlaceAt(record);
    MountReadPlan plan(place.part.length);
    plan.OpenAtBegin(bytes);
    while (const std::optional<MountRange> due = plan.Due()) {
      if (!pool_.Ask(record, place, *due)) return;
      plan.Asked(*due);
    }
    bytes -= std::min(bytes, place.part.length);
  }
}

uint64_t MountReader::MostAhead(const File& file, SteadyTime now) const {
  const uint64_t windows = std::max<uint64_t>(open_windows_.load(std::memory_order_relaxed), 1);
  const uint64_t share = std::min(kLargestWindow, pool_.capacity() / 2 / windows);
  return std::min(share, file.pace_.Worthwhile(now, pool_.least_latency()));
}

void MountReader::ReadAheadOfOrder(File& file) {
  MountOrderPlan::Ahead ahead;
  {
    std::lock_guard lock(mutex_);
    ahead = order_.Note(file.record_);
  }
  {
    std::lock_guard lock(file.mutex_);
    file.in_run_ = file.in_run_ || ahead.in_run;
  }
  for (uint64_t next = ahead.first; next < ahead.last; ++next) {
    const PartPlace place = dataset_.PlaceAt(next);
    if (place.part.length == 0) continue;
    // The other half is for files that are open.
    if (pool_.used() < pool_.capacity() / 2 &&
        pool_.Ask(next, place, {0, std::min(place.part.length, kMountHead)})) {
      continue;
    }
    std::lock_guard lock(mutex_);
    order_.NoRoom(ahead, next);
    return;
  }
}

Bytes MountReader::ReadNow(File& file, MountRange range, const std::shared_ptr<Reservation>& room,
                           const std::stop_token& stop) {
  GetRequest request = PinnedGet(file.place_.part, file.place_.pin, range.offset, range.length);
  request.stop = stop;
  try {
    const Bytes bytes = GetBytes(*file.place_.store, std::move(request), range.length);
    const auto held = std::make_shared<const std::pair<std::shared_ptr<Reservation>, Bytes>>(room, bytes);
    return Bytes(held, bytes.data(), bytes.size());
  } catch (const Error& error) {
    throw ExplainPin(error, file.place_.pin).WithUri(file.place_.store->UriOf(file.place_.part.object_key));
  }
}

void MountReader::Report(uint64_t record, const Error& error) {
  failed_reads_.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  if (reported_.insert(record).second)
    log_(LogLevel::kError, fmt::format("{}; its reader gets EIO", error.what()));
}

}  // namespace bucketline
