// AnswerWriter: sends one answer after the other on a connection, with the fault that was dealt to each.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include <boost/beast/core/tcp_stream.hpp>

#include "bucketline/base/metrics.h"
#include "bucketline/serve/answer_head.h"
#include "bucketline/serve/fault_plan.h"

namespace bucketline::serve {

// Everything runs on the stream's executor, a strand.
class AnswerWriter {
 public:
  enum class End {
    kSent,    // whole
    kClose,   // end the connection cleanly
    kReset,   // end it with a reset
    kUnsent,  // the first bytes could not be had from the store; nothing was sent
  };
  using Done = std::function<void(End)>;

  AnswerWriter(boost::beast::tcp_stream& stream, Duration timeout, std::stop_token stop, Counter& bytes_out)
      : stream_(stream), timeout_(timeout), stop_(std::move(stop)), bytes_out_(bytes_out) {}

  // Calls `done` once, on the strand. `owner` keeps this and the stream alive until then.
  void Send(RenderedAnswer answer, std::optional<ObjectBody> object, ServeFault fault,
            std::shared_ptr<void> owner, Done done);

 private:
  class PieceSink;
  void Fetch();
  void OnPiece(const Result<ObjectInfo>& result, std::shared_ptr<PieceSink> sink);
  void WritePiece(const void* data, size_t size, std::shared_ptr<void> keep);
  void OnWritten(bool ok);
  void Stall();
  void Finish(End end);

  boost::beast::tcp_stream& stream_;
  const Duration timeout_;
  const std::stop_token stop_;
  Counter& bytes_out_;

  // Of the answer being sent.
  RenderedAnswer answer_;
  std::optional<ObjectBody> object_;
  ServeFault fault_ = ServeFault::kNone;
  uint64_t limit_ = 0;  // how much of the body is sent
  uint64_t sent_ = 0;
  bool head_sent_ = false;
  std::shared_ptr<void> owner_;
  Done done_;
  std::array<char, 512> scratch_{};  // what a stalled client still says
};

}  // namespace bucketline::serve
