// EstimateCosts: what epochs over a dataset take from a store: requests, bytes, time, money; raw, packed and cached.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bucketline/base/units.h"
#include "bucketline/inspect/prices.h"

namespace bucketline {

struct CostFacts {
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t listed = 0;  // keys that are listed to open the dataset; 0: a saved manifest
  uint64_t epochs = 1;
  uint64_t shard_size = 256_MiB;  // of the pack
  uint64_t cache_size = 0;        // of the nodes' cache; 0: as large as the dataset
  // How the store answers. Time is what the network takes; decoding and training may take longer.
  double first_byte_seconds = 0.05;
  uint64_t requests_in_flight = 96;
  double bytes_per_second = 1e9;  // that arrive at most
};

// One way to read the dataset, all epochs together.
struct CostEstimate {
  std::string way;    // "raw", "packed", "packed-in-order", "cached"
  std::string about;  // for people
  uint64_t list_requests = 0;
  uint64_t get_requests = 0;
  uint64_t put_requests = 0;
  uint64_t bytes = 0;  // read from the store
  double seconds = 0;  // of all epochs
  double requests_money = 0;
  double bytes_money = 0;
  double storage_money_month = 0;  // of what the way keeps in the store beside the dataset

  double money() const { return requests_money + bytes_money; }  // once; storage goes on
};

// A pure function. Precondition: no figure of the facts is 0 but `listed` and `cache_size`.
std::vector<CostEstimate> EstimateCosts(const CostFacts& facts, const PriceTable& prices);

}  // namespace bucketline
