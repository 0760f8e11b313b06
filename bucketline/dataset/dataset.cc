#include "bucketline/dataset/dataset.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset_state.h"
#include "bucketline/dataset/part_checksum.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/store/blocking.h"

namespace bucketline {

uint64_t Dataset::size() const { return state_->count; }
Runtime& Dataset::runtime() const { return *state_->runtime; }
const std::string& Dataset::source() const { return state_->source; }
const std::vector<std::string>& Dataset::part_names() const {
  return state_->manifests.manifests().front().part_names();
}
const std::vector<std::string>& Dataset::classes() const { return state_->labels().classes; }
LabelKind Dataset::label_kind() const { return state_->labels().kind; }
size_t Dataset::label_width() const { return state_->labels().width; }
uint64_t Dataset::dropped() const { return state_->dropped; }
const ManifestList& Dataset::manifests() const { return state_->manifests; }

uint64_t Dataset::manifest_index(uint64_t index) const { return state_->InManifests(index); }
std::string Dataset::Key(uint64_t index) const { return state_->manifests.Key(manifest_index(index)); }
Record Dataset::RecordAt(uint64_t index) const { return state_->manifests.At(manifest_index(index)); }
uint64_t Dataset::RecordBytes(uint64_t index) const {
  return state_->manifests.RecordBytes(manifest_index(index));
}
const std::string& Dataset::SourceAt(uint64_t index) const {
  return state_->manifests.SourceOf(manifest_index(index));
}

PartPlace Dataset::PlaceAt(uint64_t index, size_t part) const {
  const ManifestList::Place place = state_->manifests.Find(manifest_index(index));
  const PartStore& from = (*state_->stores)[place.manifest][part];
  Record record = state_->manifests.manifests()[place.manifest].At(place.index);
  return {.store = from.store, .pin = from.pin, .part = std::move(record.parts[part])};
}

std::vector<std::shared_ptr<ObjectStore>> Dataset::StoresOf(size_t part) const {
  std::vector<std::shared_ptr<ObjectStore>> stores;
  for (const std::vector<PartStore>& parts : *state_->stores) {
    if (std::find(stores.begin(), stores.end(), parts[part].store) == stores.end())
      stores.push_back(parts[part].store);
  }
  return stores;
}

std::string Dataset::UriAt(uint64_t index, size_t part) const {
  const PartPlace place = PlaceAt(index, part);
  return UriOfPart(*place.store, place.part);
}

int64_t Dataset::LabelInteger(uint64_t index) const {
  const ManifestList::Place place = state_->manifests.Find(manifest_index(index));
  return state_->manifests.manifests()[place.manifest].labels().integers[place.index];
}

float Dataset::LabelFloat(uint64_t index, size_t column) const {
  const ManifestList::Place place = state_->manifests.Find(manifest_index(index));
  const LabelColumn& labels = state_->manifests.manifests()[place.manifest].labels();
  return labels.floats[place.index * labels.width + column];
}

bool Dataset::has_checksums() const {
  const std::vector<Manifest>& manifests = state_->manifests.manifests();
  return std::any_of(manifests.begin(), manifests.end(),
                     [](const Manifest& one) { return one.has_checksums(); });
}

uint64_t Dataset::total_bytes() const { return state_->Measure().total_bytes; }
uint64_t Dataset::largest_record() const { return state_->Measure().largest; }

std::string Dataset::largest_record_uri() const {
  return size() == 0 ? std::string() : UriAt(state_->Measure().largest_index);
}

Sample Dataset::Read(uint64_t index, size_t part, std::stop_token stop) const {
  PartPlace place = PlaceAt(index, part);
  Sample sample{.key = Key(index),
                .uri = UriOfPart(*place.store, place.part),
                .data = {},
                .size = place.part.length,
                .etag = place.part.etag};
  try {
    GetRequest request = PinnedGet(place.part, place.pin);
    request.stop = std::move(stop);
    // The largest that the pin allows; nothing more is read whatever the store says.
    sample.data = GetBytes(*place.store, std::move(request), place.part.length);
  } catch (const Error& error) {
    throw ExplainPin(error.WithUri(sample.uri), place.pin);
  }
  if (const std::optional<Error> fault = ChecksumFault(sample.data.span(), place.part.crc32c)) {
    throw fault->WithUri(sample.uri);
  }
  return sample;
}

void Dataset::Save(std::string_view uri, const std::optional<S3Options>& s3, std::stop_token stop) const {
  const Uri parsed = Uri::Parse(uri);
  if (!parsed.key.ends_with(".manifest")) {
    throw Error(ErrorCode::kInvalidArgument, "a saved manifest's name must end in \".manifest\"",
                std::string(uri));
  }
  const std::vector<Manifest>& manifests = state_->manifests.manifests();
  if (manifests.size() > 1) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format(
            "a manifest has one source, and this dataset has {}: {}; save each of them by itself, and "
            "open the list of their manifests",
            manifests.size(), source()),
        std::string(uri));
  }
  const std::vector<PartStore>& stores = state_->stores->front();
  for (size_t part = 1; part < stores.size(); ++part) {
    if (stores[part].store == stores.front().store && stores[part].pin == stores.front().pin) continue;
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format(
            "a manifest has one store, and the parts \"{}\" and \"{}\" of this dataset lie in two; save "
            "what was joined, and join it again after opening",
            part_names().front(), part_names()[part]),
        std::string(uri));
  }
  Runtime& runtime = *state_->runtime;
  const auto store = s3 ? runtime.StoreFor(parsed, *s3) : runtime.StoreFor(parsed);
  PutBytes(*store, Runtime::KeyOf(parsed), manifests.front().ToBytes().span(), {.stop = std::move(stop)});
}

}  // namespace bucketline
