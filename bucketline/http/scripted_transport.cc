#include "bucketline/http/scripted_transport.h"

#include <algorithm>
#include <utility>

#include "bucketline/exec/thread_pool.h"
#include "bucketline/http/request_check.h"
#include "bucketline/http/sink_call.h"

namespace bucketline {

struct ScriptedTransport::Call {
  CallId id = 0;
  HttpRequest request;
  std::shared_ptr<HttpSink> sink;
  Done done;
  std::optional<ScriptedAnswer> answer;  // unset: the handler's
  std::function<ScriptedAnswer(const HttpRequest&)> handler;
  bool hanging = false;  // guarded by mutex_, as is the next
  bool cancelled = false;
};

ScriptedAnswer AnswerWith(int status, std::string body,
                          std::vector<std::pair<std::string, std::string>> headers) {
  ScriptedAnswer answer;
  answer.head.status = status;
  for (auto& [name, value] : headers) answer.head.headers.Add(std::move(name), std::move(value));
  if (const auto given = answer.head.headers.Find("Content-Length")) {
    answer.head.content_length = std::stoull(std::string(*given));
  } else {
    answer.head.content_length = body.size();
    answer.head.headers.Add("Content-Length", std::to_string(body.size()));
  }
  answer.body = std::move(body);
  return answer;
}

ScriptedAnswer FailWith(Error error) {
  ScriptedAnswer answer;
  answer.failure = std::move(error);
  return answer;
}

ScriptedTransport::ScriptedTransport() {
  thread_ = StartThread("bl-scripted", [this] { Run(); });
}

ScriptedTransport::~ScriptedTransport() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [id, call] : open_) {
      call->cancelled = true;
      if (std::exchange(call->hanging, false)) ready_.push_back(call);
    }
  }
  wake_.notify_all();
  thread_.join();
}

void ScriptedTransport::Push(ScriptedAnswer answer) {
  const std::lock_guard lock(mutex_);
  answers_.push_back(std::move(answer));
}

void ScriptedTransport::SetHandler(std::function<ScriptedAnswer(const HttpRequest&)> handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

std::vector<HttpRequest> ScriptedTransport::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

HttpTransport::CallId ScriptedTransport::Send(HttpRequest request, std::shared_ptr<HttpSink> sink,
                                              Done done) {
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->sink = std::move(sink);
  call->done = std::move(done);
  const Result<void> valid = CheckRequest(call->request);

  const std::lock_guard lock(mutex_);
  requests_.push_back(call->request);
  call->id = next_id_++;
  call->cancelled = stopping_;
  if (!valid) {
    call->answer = FailWith(valid.error());
  } else if (handler_) {
    call->handler = handler_;
  } else if (answers_.empty()) {
    call->answer =
        FailWith(Error(ErrorCode::kInternal, "the scripted transport has no answer left for this request"));
  } else {
    call->answer = std::move(answers_.front());
    answers_.pop_front();
  }
  open_.emplace(call->id, call);
  ready_.push_back(call);
  wake_.notify_all();
  return call->id;
}

void ScriptedTransport::Cancel(CallId id) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  found->second->cancelled = true;
  if (std::exchange(found->second->hanging, false)) ready_.push_back(found->second);
  wake_.notify_all();
}

bool ScriptedTransport::IsCancelled(const Call& call) const {
  const std::lock_guard lock(mutex_);
  return call.cancelled;
}

ScriptedAnswer ScriptedTransport::AnswerFor(const Call& call) {
  if (call.answer) return *call.answer;
  Result<ScriptedAnswer> answer = Catch([&] { return call.handler(call.request); });
  return answer ? std::move(*answer) : FailWith(answer.error());
}

std::optional<Result<HttpTiming>> ScriptedTransport::Play(Call& call) {
  Error cancelled(ErrorCode::kCancelled, "cancelled");
  if (IsCancelled(call)) return cancelled;
  const ScriptedAnswer answer = AnswerFor(call);
  HttpTiming timing;
  if (answer.head.status != 0) {
    if (auto taken = CallSink([&] { return call.sink->OnHead(answer.head); }); !taken) return taken.error();
    const std::string_view body = call.request.method == "HEAD" ? std::string_view() : answer.body;
    while (timing.body_bytes < body.size()) {
      if (IsCancelled(call)) return cancelled;
      const std::string_view piece = body.substr(timing.body_bytes, std::max<size_t>(answer.piece, 1));
      const std::span bytes(reinterpret_cast<const uint8_t*>(piece.data()), piece.size());
      timing.body_bytes += piece.size();
      if (auto taken = CallSink([&] { return call.sink->OnBody(bytes); }); !taken) return taken.error();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (call.cancelled) return cancelled;
    call.hanging = answer.hang;
    if (call.hanging) return std::nullopt;
  }
  if (answer.failure) return *answer.failure;
  if (call.request.method != "HEAD" && answer.head.content_length.value_or(0) > timing.body_bytes) {
    return Error(ErrorCode::kCorruptData, "the scripted body is shorter than its Content-Length");
  }
  return timing;
}

void ScriptedTransport::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
    if (ready_.empty()) return;
    std::shared_ptr<Call> call = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    if (std::optional<Result<HttpTiming>> result = Play(*call)) {
      lock.lock();
      open_.erase(call->id);
      lock.unlock();
      call->done(std::move(*result));
    }
    call.reset();
    lock.lock();
  }
}

}  // namespace bucketline
