// StoreOperations: lists of operations on a store that are random, written down, replayed against a model, and made
// shorter when they show a difference.
//
// As text, one operation a line; what is no letter, digit or one of "/._-" stands as %XX in keys, and "%-" for nothing:
//
//   put KEY SIZE SEED          put-new KEY SIZE SEED      (only when absent; RampBytes(SIZE, SEED))
//   delete KEY                 get KEY OFFSET LENGTH|end  head KEY (and a read pinned by what it says)
//   list PREFIX DELIMITER START_AFTER MAX_KEYS
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bucketline/base/random.h"
#include "bucketline/store/object_store.h"

namespace bucketline::testing {

struct StoreOperation {
  enum class Kind { kPut, kPutNew, kDelete, kGet, kHead, kList };
  Kind kind = Kind::kPut;
  std::string key = {};  // a List's prefix
  uint64_t size = 0;     // of a Put; a Get's offset; a List's max_keys
  uint64_t seed = 0;     // of a Put
  std::optional<uint64_t> length = {};
  std::string delimiter = {};
  std::string start_after = {};
};

StoreOperation RandomOperation(CounterRng& random);

std::string ToText(const std::vector<StoreOperation>& operations);
std::vector<StoreOperation> ParseOperations(
    const std::string& text);  // throws std::runtime_error naming the line

// Does the operations on an empty store and on the model. The first difference, with the number of its operation, or "".
std::string FindDifference(ObjectStore& store, const std::vector<StoreOperation>& operations);

// Operations without which `fails` is no longer true are kept; it is called with fewer and fewer.
std::vector<StoreOperation> Shrink(std::vector<StoreOperation> operations,
                                   const std::function<bool(const std::vector<StoreOperation>&)>& fails);

}  // namespace bucketline::testing
