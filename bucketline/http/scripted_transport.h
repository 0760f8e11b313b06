// ScriptedTransport: a transport for tests that plays prepared answers and remembers what was asked.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bucketline/http/transport.h"

namespace bucketline {

// One answer: either a response (head, then `body` in pieces of `piece` bytes) or, after those, a failure.
// A HEAD request gets no body; a body shorter than head.content_length ends in kCorruptData, as on a real
// connection.
struct ScriptedAnswer {
  HttpResponseHead head = {};
  std::string body = {};
  size_t piece = 4096;
  std::optional<Error>
      failure;        // given to `done` after the body; with head.status == 0 instead of a response
  bool hang = false;  // after that, never ends by itself: only Cancel or the destructor ends it
};

// Content-Length is the body's, also as a header, unless `headers` names another (for HEAD, or a short body).
ScriptedAnswer AnswerWith(int status, std::string body = {},
                          std::vector<std::pair<std::string, std::string>> headers = {});
ScriptedAnswer FailWith(Error error);

// Obeys the HttpTransport contract: answers come from a thread of its own, `done` exactly once. Deadlines
// never pass. Each Send takes the next answer; when none is left the call fails with kInternal saying so.
class ScriptedTransport : public HttpTransport {
 public:
  ScriptedTransport();
  ~ScriptedTransport() override;

  void Push(ScriptedAnswer answer);

  // Answers every request instead of the queue; runs on the transport's thread.
  void SetHandler(std::function<ScriptedAnswer(const HttpRequest&)> handler);

  std::vector<HttpRequest> requests() const;  // in order of Send

  CallId Send(HttpRequest request, std::shared_ptr<HttpSink> sink, Done done) override;
  void Cancel(CallId id) override;

 private:
  struct Call;
  void Run();
  std::optional<Result<HttpTiming>> Play(Call& call);  // nullopt: it hangs
  ScriptedAnswer AnswerFor(const Call& call);
  bool IsCancelled(const Call& call) const;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<ScriptedAnswer> answers_;
  std::function<ScriptedAnswer(const HttpRequest&)> handler_;
  std::vector<HttpRequest> requests_;
  std::deque<std::shared_ptr<Call>> ready_;       // to be played, or cancelled
  std::map<CallId, std::shared_ptr<Call>> open_;  // all that have not ended
  CallId next_id_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace bucketline
