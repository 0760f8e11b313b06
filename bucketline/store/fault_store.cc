#include "bucketline/store/fault_store.h"

#include <algorithm>
#include <utility>

#include "bucketline/base/random.h"
#include "bucketline/store/fault_writer.h"
#include "bucketline/store/parked_call.h"

namespace bucketline {
namespace {

// Takes what the inner store delivers and lets only the first bytes through.
class CutSink : public GetSink {
 public:
  CutSink(std::shared_ptr<GetSink> sink, uint64_t bytes) : sink_(std::move(sink)), bytes_(bytes) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    Result<std::span<uint8_t>> memory = sink_->Begin(size, object);
    if (!memory.ok() || (*memory).size() != size) return memory;
    memory_ = *memory;
    hidden_.resize(size);
    return std::span<uint8_t>(hidden_);
  }

  void LetThrough() {
    std::copy_n(hidden_.begin(), std::min<uint64_t>(bytes_, hidden_.size()), memory_.begin());
  }

 private:
  const std::shared_ptr<GetSink> sink_;
  const uint64_t bytes_;
  std::span<uint8_t> memory_;
  std::vector<uint8_t> hidden_;
};

}  // namespace

FaultScript InTurn(std::vector<Fault> faults) {
  return [faults = std::move(faults)](const StoreCall&, uint64_t number) {
    return number < faults.size() ? faults[number] : Fault::None();
  };
}

FaultScript Always(StoreOp op, Fault fault) {
  return [op, fault = std::move(fault)](const StoreCall& call, uint64_t) {
    return call.op == op ? fault : Fault::None();
  };
}

FaultScript AtRandom(uint64_t seed, double rate, Fault fault) {
  return [seed, rate, fault = std::move(fault)](const StoreCall&, uint64_t number) {
    return CounterRng(seed, 0, number).NextDouble() < rate ? fault : Fault::None();
  };
}

Fault FaultDecider::Decide(const StoreCall& call) {
  std::lock_guard lock(mutex_);
  Fault fault = script_(call, calls_++);
  if (fault.kind != Fault::Kind::kNone) ++faults_;
  return fault;
}

uint64_t FaultDecider::faults() const {
  std::lock_guard lock(mutex_);
  return faults_;
}

template <typename T, typename Pass>
void FaultStore::Run(const StoreCall& call, std::stop_token* stop, std::function<void(Result<T>)> done,
                     Pass pass) {
  const Fault fault = decider_->Decide(call);
  const Error error = fault.error.WithUri(UriOf(call.key));
  switch (fault.kind) {
    case Fault::Kind::kNone:
      pass(fault, PassOn<T>(threads_.tracker(), stop, std::move(done)));
      return;
    case Fault::Kind::kFailBefore:
      threads_.Run([error, done = std::move(done)] { done(error); });
      return;
    case Fault::Kind::kFailAfter: {
      const auto fail = [error, done = std::move(done)](Result<T> result) {
        done(result.ok() ? Result<T>(error) : std::move(result));
      };
      pass(fault, PassOn<T>(threads_.tracker(), stop, fail));
      return;
    }
    case Fault::Kind::kHang:
      // Only a stop ends it: nobody keeps it to release it.
      ParkedCall::Park(threads_, stop != nullptr ? *stop : std::stop_token(),
                       [uri = UriOf(call.key), done = std::move(done)](bool) {
                         done(Error(ErrorCode::kCancelled, "stopped on request", uri));
                       });
      return;
  }
}

void FaultStore::List(ListRequest request, std::function<void(Result<ListPage>)> done) {
  Run<ListPage>(CallOf(request), &request.stop, std::move(done),
                [&](const Fault&, auto end) { inner_->List(std::move(request), std::move(end)); });
}

void FaultStore::Get(GetRequest request, std::shared_ptr<GetSink> sink,
                     std::function<void(Result<ObjectInfo>)> done) {
  Run<ObjectInfo>(CallOf(request), &request.stop, std::move(done), [&](const Fault& fault, auto end) {
    if (fault.kind == Fault::Kind::kNone) {
      inner_->Get(std::move(request), std::move(sink), std::move(end));
      return;
    }
    auto cut = std::make_shared<CutSink>(std::move(sink), fault.bytes);
    inner_->Get(std::move(request), cut, [cut, end = std::move(end)](Result<ObjectInfo> result) {
      if (result.ok()) cut->LetThrough();
      end(std::move(result));
    });
  });
}

void FaultStore::Head(std::string key, std::function<void(Result<ObjectInfo>)> done) {
  Run<ObjectInfo>(CallOf(StoreOp::kHead, key), nullptr, std::move(done),
                  [&](const Fault&, auto end) { inner_->Head(std::move(key), std::move(end)); });
}

void FaultStore::Delete(std::string key, std::function<void(Result<void>)> done) {
  Run<void>(CallOf(StoreOp::kDelete, key), nullptr, std::move(done),
            [&](const Fault&, auto end) { inner_->Delete(std::move(key), std::move(end)); });
}

std::unique_ptr<ObjectWriter> FaultStore::OpenWriter(std::string key, WriteCondition condition) {
  const std::string uri = UriOf(key);
  const Fault fault = decider_->Decide(CallOf(StoreOp::kOpenWriter, key));
  if (fault.kind == Fault::Kind::kFailBefore || fault.kind == Fault::Kind::kHang)
    throw fault.error.WithUri(uri);
  return std::make_unique<FaultWriter>(inner_->OpenWriter(key, std::move(condition)), decider_, fault, key,
                                       uri);
}

}  // namespace bucketline
