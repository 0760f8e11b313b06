#include "bucketline/dataset/dataset.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset_state.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/store/blocking.h"

namespace bucketline {

uint64_t Dataset::size() const { return state_->count; }
Runtime& Dataset::runtime() const { return *state_->runtime; }
const std::string& Dataset::source() const { return state_->manifest.source(); }
const std::vector<std::string>& Dataset::classes() const { return state_->manifest.labels().classes; }
LabelKind Dataset::label_kind() const { return state_->manifest.labels().kind; }
size_t Dataset::label_width() const { return state_->manifest.labels().width; }
const std::shared_ptr<ObjectStore>& Dataset::store() const { return state_->store; }
PinMode Dataset::pin() const { return state_->pin; }
const Manifest& Dataset::manifest() const { return state_->manifest; }

uint64_t Dataset::manifest_index(uint64_t index) const { return state_->InManifest(index); }
std::string Dataset::Key(uint64_t index) const { return state_->manifest.Key(manifest_index(index)); }
std::string Dataset::UriAt(uint64_t index) const { return state_->store->UriOf(Key(index)); }
Record Dataset::RecordAt(uint64_t index) const { return state_->manifest.At(manifest_index(index)); }
uint64_t Dataset::RecordBytes(uint64_t index) const {
  return state_->manifest.RecordBytes(manifest_index(index));
}

int64_t Dataset::LabelInteger(uint64_t index) const {
  return state_->manifest.labels().integers[manifest_index(index)];
}

float Dataset::LabelFloat(uint64_t index, size_t column) const {
  const LabelColumn& labels = state_->manifest.labels();
  return labels.floats[manifest_index(index) * labels.width + column];
}

uint64_t Dataset::total_bytes() const { return state_->Measure().total_bytes; }
uint64_t Dataset::largest_record() const { return state_->Measure().largest; }

std::string Dataset::largest_record_uri() const {
  return size() == 0 ? std::string() : UriAt(state_->Measure().largest_index);
}

Sample Dataset::Read(uint64_t index, std::stop_token stop) const {
  const Record record = RecordAt(index);
  const RecordPart& part = record.parts.front();
  Sample sample{.key = record.key, .uri = UriAt(index), .data = {}, .size = part.length, .etag = part.etag};
  try {
    GetRequest request = PinnedGet(part, state_->pin);
    request.stop = std::move(stop);
    // The largest that the pin allows; nothing more is read whatever the store says.
    sample.data = GetBytes(*state_->store, std::move(request), part.length);
  } catch (const Error& error) {
    throw ExplainPin(error.WithUri(sample.uri), state_->pin);
  }
  return sample;
}

void Dataset::Save(std::string_view uri, const std::optional<S3Options>& s3, std::stop_token stop) const {
  const Uri parsed = Uri::Parse(uri);
  if (!parsed.key.ends_with(".manifest")) {
    throw Error(ErrorCode::kInvalidArgument, "a saved manifest's name must end in \".manifest\"",
                std::string(uri));
  }
  Runtime& runtime = *state_->runtime;
  const auto store = s3 ? runtime.StoreFor(parsed, *s3) : runtime.StoreFor(parsed);
  PutBytes(*store, Runtime::KeyOf(parsed), state_->manifest.ToBytes().span(), {.stop = std::move(stop)});
}

}  // namespace bucketline
