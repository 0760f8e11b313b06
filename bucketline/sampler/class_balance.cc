#include "bucketline/sampler/class_balance.h"

#include <limits>
#include <map>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"
#include "bucketline/sampler/permutation.h"

namespace bucketline {
namespace {

// Keep the orders of classes, and of each class's records, apart from each other and from the plain order.
constexpr uint64_t kClassSalt = 0x636c617373206f72ull;
constexpr uint64_t kRecordSalt = 0x7265636f72642073ull;

}  // namespace

ClassBalance::ClassBalance(uint64_t n, const std::function<int64_t(uint64_t)>& class_of, uint64_t epoch_size,
                           uint64_t seed)
    : seed_(seed) {
  if (n == 0 || n > std::numeric_limits<uint32_t>::max()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("classes are balanced among 1 to {} records, and there are {}",
                            std::numeric_limits<uint32_t>::max(), n));
  }
  if (epoch_size == 0) throw Error(ErrorCode::kInvalidArgument, "an epoch needs at least one position");
  std::map<int64_t, uint32_t> next;  // where the class's next record goes
  for (uint64_t record = 0; record < n; ++record) ++next[class_of(record)];
  auto table = std::make_shared<Table>();
  uint32_t end = 0;
  for (auto& [label, place] : next) {
    table->begin.push_back(end);
    end += place;
    place = table->begin.back();
  }
  table->begin.push_back(end);
  table->records.resize(n);
  for (uint64_t record = 0; record < n; ++record) {
    table->records[next[class_of(record)]++] = static_cast<uint32_t>(record);
  }
  table_ = std::move(table);
  rounds_ = (epoch_size + classes() - 1) / classes();
}

uint64_t ClassBalance::classes() const { return table_->begin.size() - 1; }

uint64_t ClassBalance::At(uint64_t epoch, uint64_t position) const {
  const uint64_t round = epoch * rounds_ + position / classes();  // since the first epoch
  const Permutation order(classes(), seed_ ^ kClassSalt, round);
  const uint64_t label = order.At(position % classes());
  const uint64_t first = table_->begin[label];
  const uint64_t count = table_->begin[label + 1] - first;
  const Permutation within(count, Mix64(seed_ ^ kRecordSalt) + label, round / count);
  return table_->records[first + within.At(round % count)];
}

}  // namespace bucketline
