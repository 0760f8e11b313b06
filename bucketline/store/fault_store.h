// FaultStore: a store that fails as it is told to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bucketline/store/fault.h"
#include "bucketline/store/store_call.h"
#include "bucketline/store/store_threads.h"

namespace bucketline {

// The faults in turn, then none.
FaultScript InTurn(std::vector<Fault> faults);
// One fault for every call of the kind, none for the rest.
FaultScript Always(StoreOp op, Fault fault);
// Each call fails with the probability `rate`: a function of (seed, number) and nothing else.
FaultScript AtRandom(uint64_t seed, double rate, Fault fault);

// A decorator for tests; thread-safe.
class FaultStore : public ObjectStore {
 public:
  FaultStore(std::shared_ptr<ObjectStore> inner, FaultScript script)
      : inner_(std::move(inner)), decider_(std::make_shared<FaultDecider>(std::move(script))) {}

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override;
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override;
  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override;
  void Delete(std::string key, std::function<void(Result<void>)> done) override;
  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition = {}) override;
  std::optional<uint64_t> joinable_gap() const override { return inner_->joinable_gap(); }
  std::string UriOf(std::string_view key) const override { return inner_->UriOf(key); }

  // How many calls had a fault so far.
  uint64_t faults() const { return decider_->faults(); }

 private:
  template <typename T, typename Pass>
  void Run(const StoreCall& call, std::stop_token* stop, std::function<void(Result<T>)> done, Pass pass);

  const std::shared_ptr<ObjectStore> inner_;
  const std::shared_ptr<FaultDecider> decider_;  // shared with writers
  StoreThreads threads_{1, "bl-faults"};         // last: its work uses the rest
};

}  // namespace bucketline
