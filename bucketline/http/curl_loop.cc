#include "bucketline/http/curl_loop.h"

#include <algorithm>
#include <utility>

#include "bucketline/exec/thread_pool.h"

namespace bucketline {
namespace {

constexpr std::chrono::milliseconds kLongestSleep = std::chrono::minutes(1);

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

CurlLoop::CurlLoop(const CurlTransportOptions& options, std::string name)
    : options_(options), name_(std::move(name)), multi_(MakeMulti()) {
  sockets_.Attach(multi_.get());
}

CurlLoop::~CurlLoop() {
  Stop();
  Join();
}

CurlMulti CurlLoop::MakeMulti() const {
  CurlMulti multi = MakeCurlMulti();
  // Unset, libcurl sizes its pool by what is attached at the moment, and a dip in load throws connections
  // away.
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_per_thread));
  curl_multi_setopt(multi.get(), CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
  return multi;
}

bool CurlLoop::Submit(std::unique_ptr<CurlCall>& call) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  if (!thread_.joinable()) thread_ = StartThread(name_, [this] { Run(); });
  const bool wake = inbox_.empty() && std::this_thread::get_id() != thread_.get_id();
  inbox_.calls.push_back(std::move(call));
  load_.fetch_add(1, std::memory_order_relaxed);
  if (wake) sockets_.Wake();
  return true;
}

void CurlLoop::Cancel(HttpTransport::CallId id) {
  const std::lock_guard lock(mutex_);
  if (ended_ || !thread_.joinable()) return;
  const bool wake = inbox_.empty();
  inbox_.cancels.push_back(id);
  if (wake) sockets_.Wake();
}

void CurlLoop::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (thread_.joinable()) {
    sockets_.Wake();
  } else {
    ended_ = true;
  }
}

void CurlLoop::Join() {
  if (thread_.joinable()) thread_.join();
}

void CurlLoop::Run() {
  while (TakeInbox()) {
    // Deadlines are judged by the time before the sockets are looked at: if a slow sink holds the thread up,
    // the bytes that arrived meanwhile are read before anyone is called stalled.
    const SteadyTime now = Now();
    if (!sockets_.Advance()) EndAll(ErrorCode::kInternal, "libcurl could not go on with its transfers");
    TakeFinished();
    EndExpired(now);
    Sleep();
  }
}

bool CurlLoop::TakeInbox() {
  for (;;) {
    Inbox inbox;
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      std::swap(inbox, inbox_);
      stopping = stopping_;
      if (stopping && inbox.calls.empty() && active_.empty()) {
        ended_ = true;
        return false;
      }
    }
    for (auto& call : inbox.calls) Begin(std::move(call));
    for (const HttpTransport::CallId id : inbox.cancels) {
      const auto found = active_.find(id);
      if (found != active_.end()) {
        End(*found->second, found->second->Failure(ErrorCode::kCancelled, "cancelled"));
      }
    }
    if (!stopping) return true;
    EndAll(ErrorCode::kCancelled, "cancelled: the transport is closing");  // which may send again
  }
}

void CurlLoop::Begin(std::unique_ptr<CurlCall> owned) {
  CurlCall& call = *owned;
  active_.emplace(call.id(), std::move(owned));
  Result<void> begun = Catch([&] {
    CurlEasy easy;
    if (spare_.empty()) {
      easy = MakeCurlEasy();
    } else {
      easy = std::move(spare_.back());
      spare_.pop_back();
    }
    call.Prepare(std::move(easy), options_, &alarm_).ValueOrThrow();
    if (curl_multi_add_handle(multi_.get(), call.easy()) != CURLM_OK) {
      throw call.Failure(ErrorCode::kResourceExhausted, "libcurl has no memory for another transfer");
    }
  });
  if (!begun) End(call, begun.error());
}

void CurlLoop::TakeFinished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CurlCall& call = *CurlCall::Of(message->easy_handle);
    End(call, call.Outcome(message->data.result));
  }
}

void CurlLoop::EndExpired(SteadyTime now) {
  if (now < alarm_) return;
  alarm_ = SteadyTime::max();
  std::vector<std::pair<CurlCall*, std::string>> expired;
  for (const auto& [id, call] : active_) {
    if (auto text = call->deadlines().Expired(now)) {
      expired.emplace_back(call.get(), std::move(*text));
    } else {
      alarm_ = std::min(alarm_, call->deadlines().Next());
    }
  }
  for (const auto& [call, text] : expired) End(*call, call->Failure(ErrorCode::kTimeout, text));
}

void CurlLoop::End(CurlCall& call, Result<HttpTiming> result) {
  auto node = active_.extract(call.id());
  if (CurlEasy easy = call.TakeEasy()) {
    curl_multi_remove_handle(multi_.get(), easy.get());  // harmless if it was never added
    curl_easy_reset(easy.get());
    if (spare_.size() < options_.connections_per_thread) spare_.push_back(std::move(easy));
  }
  last_used_ = Now();
  pool_used_ = true;
  load_.fetch_sub(1, std::memory_order_relaxed);
  call.Finish(std::move(result));
}

void CurlLoop::EndAll(ErrorCode code, std::string_view text) {
  while (!active_.empty()) {
    CurlCall& call = *active_.begin()->second;
    End(call, call.Failure(code, text));
  }
}

void CurlLoop::Sleep() {
  SteadyTime until = Now() + kLongestSleep;
  if (!active_.empty()) until = std::min(until, alarm_);
  if (active_.empty() && pool_used_) {
    if (Now() >= last_used_ + options_.idle_close) (void)Catch([this] { CloseIdleConnections(); });
    if (pool_used_) until = std::min(until, last_used_ + options_.idle_close);
  }
  if (HasMail()) until = SteadyTime::min();
  sockets_.Wait(until);
}

bool CurlLoop::HasMail() {
  const std::lock_guard lock(mutex_);
  return !inbox_.empty();
}

// libcurl notices that a kept connection has died or aged only when it looks for one to use, so an idle
// process would hold sockets that the server closed long ago. A new multi handle is its only way to drop
// them.
void CurlLoop::CloseIdleConnections() {
  pool_used_ = false;
  CurlMulti fresh = MakeMulti();
  sockets_.Attach(fresh.get());
  std::swap(fresh, multi_);
}

}  // namespace bucketline
