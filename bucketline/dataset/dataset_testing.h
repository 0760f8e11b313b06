// What tests of datasets and of what stands on them share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/runtime/runtime.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"

namespace bucketline::testing {

// The error that `call` throws; fails the test when it throws none.
template <typename Call>
Error ErrorOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::kInternal, "no error was thrown");
}

inline RuntimeOptions Quiet(uint64_t memory = 0) {
  RuntimeOptions options;
  options.memory = memory;
  options.log = LogToNowhere();
  return options;
}

// A store in RAM, mem://data/, and a Runtime that knows it.
class Bucket {
 public:
  explicit Bucket(RuntimeOptions options = Quiet()) : runtime_(std::move(options)) {
    runtime_.AddStore("data", store_);
  }

  Runtime& runtime() { return runtime_; }
  const std::shared_ptr<ObjectStore>& store() const { return store_; }

  void Put(std::string_view key, std::string_view text) { PutBytes(*store_, key, text); }

  Dataset Open(std::string_view uri = "mem://data/", DatasetOptions options = {}) {
    return Dataset::Open(runtime_, uri, std::move(options));
  }

 private:
  std::shared_ptr<ObjectStore> store_ = MakeMemoryStore("data");
  Runtime runtime_;
};

}  // namespace bucketline::testing
