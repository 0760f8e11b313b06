// ClassBalance: an order in which every class comes equally often, however many records it has.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace bucketline {

// With K classes, every K positions of an epoch from a multiple of K on have each class once, in an order of their
// own. A class goes through its records in a random order and then through another one, across epochs: none comes a
// second time before all have come once (an epoch that is no multiple of K leaves out one record of the classes that
// its last positions lack). Holds 4 bytes a record; copies share them. Pure and the same on every platform and in
// every version (saved runs rest on it); thread-safe.
class ClassBalance {
 public:
  // `class_of` gives the class of each of n records: any number; it is called twice for each. `epoch_size` positions
  // make an epoch. Throws kInvalidArgument: n is 0 or above 2^32 - 1, epoch_size is 0.
  ClassBalance(uint64_t n, const std::function<int64_t(uint64_t record)>& class_of, uint64_t epoch_size,
               uint64_t seed);

  uint64_t classes() const;

  // The record at a position. Precondition: position < epoch_size.
  uint64_t At(uint64_t epoch, uint64_t position) const;

 private:
  struct Table {
    std::vector<uint32_t> records;  // by class
    std::vector<uint32_t> begin;    // of each class in `records`, and the end of the last
  };
  std::shared_ptr<const Table> table_;
  uint64_t rounds_;  // of all classes, in an epoch
  uint64_t seed_;
};

}  // namespace bucketline
