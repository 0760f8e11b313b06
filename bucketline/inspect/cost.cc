#include "bucketline/inspect/cost.h"

#include <algorithm>
#include <cmath>

namespace bucketline {
namespace {

constexpr uint64_t kListedAtOnce = 1000;                // keys of a page
constexpr uint64_t kPiece = uint64_t{8} << 20;          // of what is large
constexpr uint64_t kJoined = uint64_t{1} << 20;         // of what a loader reads of neighbours at once
constexpr uint64_t kReadInPieces = uint64_t{16} << 20;  // objects from here on are read so
constexpr double kGigabyte = 1e9;

uint64_t Pages(uint64_t count, uint64_t each) { return count / each + (count % each != 0 ? 1 : 0); }

class Estimator {
 public:
  Estimator(const CostFacts& facts, const PriceTable& prices) : facts_(facts), prices_(prices) {}

  CostEstimate Of(CostEstimate way, uint64_t packed_bytes) const {
    const auto requests = static_cast<double>(way.get_requests);
    way.seconds =
        std::max(static_cast<double>(way.bytes) / facts_.bytes_per_second,
                 requests * facts_.first_byte_seconds / static_cast<double>(facts_.requests_in_flight));
    way.requests_money =
        (requests * prices_.get_per_1000 + static_cast<double>(way.put_requests) * prices_.put_per_1000 +
         static_cast<double>(way.list_requests) * prices_.list_per_1000) /
        1000;
    way.bytes_money = static_cast<double>(way.bytes) / kGigabyte * prices_.read_per_gb;
    way.storage_money_month = static_cast<double>(packed_bytes) / kGigabyte * prices_.storage_per_gb_month;
    return way;
  }

  // Reads of every record by itself.
  uint64_t OneEach() const {
    const uint64_t mean = facts_.bytes / facts_.records;
    return facts_.records * (mean >= kReadInPieces ? Pages(mean, kPiece) : 1);
  }
  // Neighbours in shards are read together.
  uint64_t InOrder() const { return std::min(OneEach(), Pages(facts_.bytes, kJoined)); }
  uint64_t Shards() const { return Pages(facts_.bytes, facts_.shard_size); }
  // Packing reads every record, writes pieces, and reads the shards back.
  CostEstimate Packing(std::string way, std::string about) const {
    const uint64_t pieces = Pages(facts_.bytes, kPiece);
    return {
        .way = std::move(way),
        .about = std::move(about),
        .list_requests = Pages(facts_.listed, kListedAtOnce),
        .get_requests = OneEach() + pieces,
        .put_requests = pieces + 3 * Shards() + 2,  // a shard's upload begins and ends, and it has an index
        .bytes = 2 * facts_.bytes};
  }

 private:
  const CostFacts& facts_;
  const PriceTable& prices_;
};

}  // namespace

std::vector<CostEstimate> EstimateCosts(const CostFacts& facts, const PriceTable& prices) {
  const Estimator estimator(facts, prices);
  const uint64_t one_each = estimator.OneEach();
  const CostEstimate raw{.way = "raw",
                         .about = "every object by itself, every epoch",
                         .list_requests = Pages(facts.listed, kListedAtOnce),
                         .get_requests = one_each * facts.epochs,
                         .bytes = facts.bytes * facts.epochs};
  CostEstimate packed = estimator.Packing("packed", "packed once, then a range of a shard for each record");
  packed.get_requests += one_each * facts.epochs;
  packed.bytes += facts.bytes * facts.epochs;
  CostEstimate in_order = estimator.Packing(
      "packed-in-order",
      "packed once with --shuffle, then read in that order, neighbours in a shard together");
  in_order.get_requests += estimator.InOrder() * facts.epochs;
  in_order.bytes += facts.bytes * facts.epochs;
  // The cache keeps what came first; an epoch finds its share of the dataset there.
  const double hit =
      facts.cache_size == 0
          ? 1
          : std::min(1.0, static_cast<double>(facts.cache_size) / static_cast<double>(facts.bytes));
  const auto later = [&](uint64_t whole) {
    return whole + static_cast<uint64_t>(std::llround(static_cast<double>(whole) * (1 - hit) *
                                                      static_cast<double>(facts.epochs - 1)));
  };
  const CostEstimate cached{.way = "cached",
                            .about = "every object by itself once, then from the node's cache",
                            .list_requests = raw.list_requests,
                            .get_requests = later(one_each),
                            .bytes = later(facts.bytes)};
  return {estimator.Of(raw, 0), estimator.Of(packed, facts.bytes), estimator.Of(in_order, facts.bytes),
          estimator.Of(cached, 0)};
}

}  // namespace bucketline
