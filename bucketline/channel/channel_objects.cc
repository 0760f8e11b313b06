#include "bucketline/channel/channel_objects.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/channel/augmented_manifest.h"
#include "bucketline/channel/local_paths.h"
#include "bucketline/channel/manifest_file.h"
#include "bucketline/channel/object_lookup.h"
#include "bucketline/dataset/source.h"
#include "bucketline/sampler/permutation.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestManifest = uint64_t{4} << 30;

DatasetOptions OpenOptions(const ChannelObjectsOptions& options) {
  DatasetOptions open;
  open.extensions = {};
  open.folder_markers = false;
  open.pin = options.pin;
  open.s3 = options.s3;
  open.listing_progress = options.listing_progress;
  open.stop = options.stop;
  return open;
}

// In the words that SageMaker has for it.
Dataset ListPrefix(Runtime& runtime, const std::string& uri, const DatasetOptions& options) {
  try {
    return Dataset::Open(runtime, uri, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    throw Error(
        error.code(),
        fmt::format("No S3 objects found under S3 URL \"{}\" given in input data source. Please ensure that "
                    "the bucket exists, that objects exist under that S3 prefix, and that your credentials "
                    "have \"s3:ListBucket\" permissions on it ({})",
                    uri, error.message()),
        uri, error.http_status(), error.request_id());
  }
}

std::string ReadText(Runtime& runtime, const std::string& text, const DatasetOptions& options) {
  const Uri uri = Uri::Parse(text);
  GetRequest request;
  request.key = Runtime::KeyOf(uri);
  request.stop = options.stop;
  return GetBytes(*StoreOf(runtime, uri, options), std::move(request), kLargestManifest).ToString();
}

// Runs `parse` on the text at `uri`, and names it in what that throws.
template <typename Parse>
auto ReadManifest(Runtime& runtime, const std::string& uri, const DatasetOptions& options, Parse parse) {
  const std::string text = ReadText(runtime, uri, options);
  try {
    return parse(text);
  } catch (const Error& error) {
    throw error.WithUri(uri);
  }
}

}  // namespace

// Entries are the objects themselves, or lie in `pieces`, `width` each.
struct ChannelObjects::State {
  using Piece = AugmentedManifest::Attribute;

  State(Dataset found, const ChannelSpec& spec, ChannelHost the_host)
      : host(spec.sharded ? the_host : ChannelHost{}),
        seed(spec.shuffle_seed),
        objects(std::move(found)),
        files(objects),
        entries(objects.size()) {}

  static std::shared_ptr<State> OfPrefix(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                         const DatasetOptions& options);
  static std::shared_ptr<State> OfManifest(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                           const DatasetOptions& options, ManifestPaths paths);
  static std::shared_ptr<State> OfAugmented(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                            const DatasetOptions& options);
  void PickFiles();

  uint64_t OwnEntries() const { return (entries + host.count - 1 - host.index) / host.count; }
  uint64_t EntryAt(uint64_t epoch, uint64_t position) const;

  const ChannelHost host;
  const std::optional<int64_t> seed;
  const Dataset objects;
  Dataset files;
  size_t path_start = 0;
  uint64_t entries;  // of all hosts
  size_t width = 1;
  std::vector<Piece> pieces;  // references are numbers in `objects`
  TextPool values;
};

std::shared_ptr<ChannelObjects::State> ChannelObjects::State::OfPrefix(Runtime& runtime,
                                                                       const ChannelSpec& spec,
                                                                       ChannelHost host,
                                                                       const DatasetOptions& options) {
  auto state = std::make_shared<State>(ListPrefix(runtime, spec.uri, options), spec, host);
  state->path_start = PathStart(Runtime::KeyOf(Uri::Parse(state->objects.source())));
  return state;
}

std::shared_ptr<ChannelObjects::State> ChannelObjects::State::OfManifest(Runtime& runtime,
                                                                         const ChannelSpec& spec,
                                                                         ChannelHost host,
                                                                         const DatasetOptions& options,
                                                                         ManifestPaths paths) {
  const ManifestFile file = ReadManifest(runtime, spec.uri, options, ParseManifestFile);
  TextPool uris;
  for (size_t i = 0; i < file.suffixes.size(); ++i) uris.Add(file.prefix + std::string(file.suffixes[i]));
  const auto place = [&](size_t i) { return fmt::format("element {} of {}", i + 1, spec.uri); };
  const FoundObjects found = FindObjects(runtime, uris, place, options);
  auto state = std::make_shared<State>(found.objects, spec, host);
  state->entries = uris.size();
  state->pieces.reserve(uris.size());
  for (const uint32_t number : found.numbers) {
    state->pieces.push_back({.number = number & 0x7fffffffU, .is_reference = 1});
  }
  if (paths == ManifestPaths::kBelowPrefix)
    state->path_start = PathStart(Runtime::KeyOf(Uri::Parse(file.prefix)));
  return state;
}

std::shared_ptr<ChannelObjects::State> ChannelObjects::State::OfAugmented(Runtime& runtime,
                                                                          const ChannelSpec& spec,
                                                                          ChannelHost host,
                                                                          const DatasetOptions& options) {
  if (spec.attributes.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "an augmented manifest needs the names of the attributes to send", spec.uri);
  }
  AugmentedManifest manifest = ReadManifest(runtime, spec.uri, options, [&](const std::string& text) {
    return ParseAugmentedManifest(text, spec.attributes);
  });
  const auto found = [&] {
    if (manifest.references.size() == 0) {
      return FoundObjects{.objects = Dataset::Of(runtime, ManifestBuilder(spec.uri).Build(), options),
                          .numbers = {}};
    }
    const auto place = [&](size_t i) {
      return fmt::format("line {} of {}", manifest.reference_lines[i], spec.uri);
    };
    return FindObjects(runtime, manifest.references, place, options);
  }();
  auto state = std::make_shared<State>(found.objects, spec, host);
  state->width = spec.attributes.size();
  state->pieces = std::move(manifest.attributes);
  state->entries = state->pieces.size() / state->width;
  for (Piece& piece : state->pieces) {
    if (piece.is_reference != 0) piece.number = found.numbers[piece.number] & 0x7fffffffU;
  }
  state->values = std::move(manifest.values);
  return state;
}

// Of the entries that are this host's without a shuffle.
void ChannelObjects::State::PickFiles() {
  if (host.count == 1) return;
  std::vector<uint64_t> numbers;
  for (uint64_t entry = host.index; entry < entries; entry += host.count) {
    if (pieces.empty()) numbers.push_back(entry);
    for (size_t i = 0; i < width && !pieces.empty(); ++i) {
      const Piece piece = pieces[entry * width + i];
      if (piece.is_reference != 0) numbers.push_back(piece.number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  files = objects.Select(numbers);
}

uint64_t ChannelObjects::State::EntryAt(uint64_t epoch, uint64_t position) const {
  const uint64_t dealt = position * host.count + host.index;
  if (!seed) return dealt;
  return Permutation(entries, static_cast<uint64_t>(*seed), epoch).At(dealt);
}

ChannelObjects ChannelObjects::Open(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                    const ChannelObjectsOptions& options) {
  const DatasetOptions open = OpenOptions(options);
  std::shared_ptr<State> state;
  switch (spec.data) {
    case ChannelData::kS3Prefix:
      state = State::OfPrefix(runtime, spec, host, open);
      break;
    case ChannelData::kManifestFile:
      state = State::OfManifest(runtime, spec, host, open, options.manifest_paths);
      break;
    case ChannelData::kAugmentedManifestFile:
      state = State::OfAugmented(runtime, spec, host, open);
      break;
  }
  state->PickFiles();
  return ChannelObjects(std::move(state));
}

const Dataset& ChannelObjects::objects() const { return state_->objects; }
const Dataset& ChannelObjects::files() const { return state_->files; }
size_t ChannelObjects::path_start() const { return state_->path_start; }
uint64_t ChannelObjects::pieces() const { return state_->OwnEntries() * state_->width; }

ChannelPiece ChannelObjects::At(uint64_t epoch, uint64_t number) const {
  const uint64_t entry = state_->EntryAt(epoch, number / state_->width);
  if (state_->pieces.empty()) return {.object = entry};
  const State::Piece piece = state_->pieces[entry * state_->width + number % state_->width];
  if (piece.is_reference != 0) return {.object = piece.number};
  return {.object = std::nullopt, .text = state_->values[piece.number]};
}

}  // namespace bucketline
