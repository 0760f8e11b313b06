#include "bucketline/train/event_log.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/store/blocking.h"
#include "bucketline/train/event_file.h"

namespace bucketline {

EventLog::EventLog(Runtime& runtime, std::string_view text, uint64_t first_step, const Clock& clock)
    : clock_(clock), background_("bl-events") {
  const Uri uri = Uri::Parse(text);
  store_ = runtime.StoreFor(uri);
  prefix_ = Runtime::KeyOf(uri);
  if (!prefix_.empty() && prefix_.back() != '/') prefix_ += '/';
  const int64_t microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(clock.WallNow().time_since_epoch()).count();
  prefix_ +=
      fmt::format("events.out.tfevents.{:010}.{:06}.", microseconds / 1'000'000, microseconds % 1'000'000);
  Append(SessionStartEvent(WallSeconds(), static_cast<int64_t>(first_step)));
}

EventLog::~EventLog() {
  try {
    Close();
  } catch (const Error&) {
    // Whoever wants to know calls Close.
  }
}

double EventLog::WallSeconds() const {
  return std::chrono::duration<double>(clock_.WallNow().time_since_epoch()).count();
}

void EventLog::Append(std::string_view event) {
  if (pending_.empty()) {
    AppendRecord(FileVersionEvent(WallSeconds()), pending_);
    oldest_ = clock_.Now();
  }
  AppendRecord(event, pending_);
}

void EventLog::Add(std::string_view tag, uint64_t step, double value) {
  background_.Check();
  Append(ScalarEvent(WallSeconds(), static_cast<int64_t>(step), tag, static_cast<float>(value)));
  if (pending_.size() >= kFlushBytes || clock_.Now() - oldest_ >= kFlushPeriod) Flush();
}

void EventLog::Flush() {
  if (pending_.empty()) return;
  background_.Wait();
  background_.Start([this, key = fmt::format("{}{:06}", prefix_, number_++),
                     file = std::exchange(pending_, {})] { PutBytes(*store_, key, file); });
}

void EventLog::Close() {
  Flush();
  background_.Wait();
}

}  // namespace bucketline
