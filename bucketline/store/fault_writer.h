// FaultWriter: the writer of a FaultStore.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "bucketline/store/fault.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Fails in Write by the fault that its opening had, and in Commit by the one that the commit has. A failed
// commit aborts the object unless the fault comes after it.
class FaultWriter : public ObjectWriter {
 public:
  FaultWriter(std::unique_ptr<ObjectWriter> inner, std::shared_ptr<FaultDecider> decider, Fault writing,
              std::string key, std::string uri)
      : inner_(std::move(inner)),
        decider_(std::move(decider)),
        writing_(std::move(writing)),
        key_(std::move(key)),
        uri_(std::move(uri)) {}

  void Write(std::span<const uint8_t> data) override {
    const bool fails = writing_.kind == Fault::Kind::kFailAfter && data.size() > writing_.bytes - written_;
    const auto taken = fails ? data.first(static_cast<size_t>(writing_.bytes - written_)) : data;
    inner_->Write(taken);
    written_ += taken.size();
    if (fails) throw writing_.error.WithUri(uri_);
  }

  ObjectInfo Commit() override {
    const Fault fault = decider_->Decide(CallOf(StoreOp::kCommit, key_));
    if (fault.kind == Fault::Kind::kFailBefore || fault.kind == Fault::Kind::kHang) {
      inner_->Abort();
      throw fault.error.WithUri(uri_);
    }
    ObjectInfo object = inner_->Commit();
    if (fault.kind == Fault::Kind::kFailAfter) throw fault.error.WithUri(uri_);
    return object;
  }

  void Abort() override { inner_->Abort(); }

 private:
  const std::unique_ptr<ObjectWriter> inner_;
  const std::shared_ptr<FaultDecider> decider_;
  const Fault writing_;
  const std::string key_;
  const std::string uri_;
  uint64_t written_ = 0;
};

}  // namespace bucketline
