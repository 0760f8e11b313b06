#include "bucketline/dataset/shards_of.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

namespace bucketline {
namespace {

constexpr uint64_t kTogether = 64;  // a manifest holds so many records in a block

// Gives the numbers of the objects of records that are asked for in ascending order.
class Objects {
 public:
  explicit Objects(const Dataset& dataset) : dataset_(dataset) {}

  uint64_t Of(uint64_t record) {
    const RecordPart& part = PartOf(dataset_.manifest_index(record));
    if (part.offset == 0 && part.length == part.object_size) return ShardTable::kAlone;
    if (last_ == nullptr || last_->first != part.object_key || last_manifest_ != manifest_) {
      if (manifest_ >= numbers_.size()) numbers_.resize(manifest_ + 1);
      const auto [found, fresh] = numbers_[manifest_].try_emplace(part.object_key, next_);
      next_ += fresh ? 1 : 0;
      last_ = &*found;  // stays where it is
      last_manifest_ = manifest_;
    }
    return last_->second;
  }

 private:
  using Numbers = std::unordered_map<std::string, uint64_t>;

  const RecordPart& PartOf(uint64_t number) {
    const ManifestList& manifests = dataset_.manifests();
    if (number < first_ || number >= first_ + records_.size()) {
      const ManifestList::Place place = manifests.Find(number);
      const Manifest& manifest = manifests.manifests()[place.manifest];
      const uint64_t begin = place.index / kTogether * kTogether;
      records_ = manifest.Range(begin, std::min(kTogether, manifest.size() - begin));
      first_ = manifests.FirstOf(place.manifest) + begin;
      manifest_ = place.manifest;
    }
    return records_[number - first_].parts.front();
  }

  const Dataset& dataset_;
  std::vector<Record> records_;  // a block of a manifest
  uint64_t first_ = 0;
  size_t manifest_ = 0;
  std::vector<Numbers> numbers_;  // of each manifest's objects that hold several records
  uint64_t next_ = 0;
  const Numbers::value_type* last_ = nullptr;
  size_t last_manifest_ = 0;
};

}  // namespace

ShardTable ShardsOf(const Dataset& dataset) {
  Objects objects(dataset);
  return ShardTable(dataset.size(), [&](uint64_t record) { return objects.Of(record); });
}

}  // namespace bucketline
