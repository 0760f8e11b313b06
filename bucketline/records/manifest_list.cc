#include "bucketline/records/manifest_list.h"

#include <algorithm>
#include <utility>

#include "bucketline/base/hash.h"
#include "bucketline/records/varint.h"

namespace bucketline {

ManifestList::ManifestList(std::vector<Manifest> manifests) {
  auto storage = std::make_shared<Storage>();
  storage->first.push_back(0);
  for (const Manifest& manifest : manifests)
    storage->first.push_back(storage->first.back() + manifest.size());
  storage->manifests = std::move(manifests);
  storage_ = std::move(storage);
}

ManifestList::Place ManifestList::Find(uint64_t number) const {
  const std::vector<uint64_t>& first = storage_->first;
  const auto next = std::upper_bound(first.begin(), first.end(), number);
  const auto manifest = static_cast<size_t>(next - first.begin()) - 1;
  return {.manifest = manifest, .index = number - first[manifest]};
}

std::string ManifestList::Key(uint64_t number) const {
  const Place place = Find(number);
  return manifests()[place.manifest].Key(place.index);
}

Record ManifestList::At(uint64_t number) const {
  const Place place = Find(number);
  return manifests()[place.manifest].At(place.index);
}

uint64_t ManifestList::RecordBytes(uint64_t number) const {
  const Place place = Find(number);
  return manifests()[place.manifest].RecordBytes(place.index);
}

const std::string& ManifestList::SourceOf(uint64_t number) const {
  return manifests()[Find(number).manifest].source();
}

uint64_t ManifestList::fingerprint() const {
  if (manifests().size() == 1) return manifests().front().fingerprint();
  std::string prints;
  for (const Manifest& manifest : manifests()) {
    AppendFixed64(&prints, manifest.size());
    AppendFixed64(&prints, manifest.fingerprint());
  }
  return StableHash64(prints);
}

}  // namespace bucketline
