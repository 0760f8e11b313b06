#include <algorithm>
#include <queue>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/manifest_writer.h"
#include "bucketline/records/part_codec.h"
#include "bucketline/records/record_run.h"

namespace bucketline {
namespace {

// Records held as they are before they are sorted and compressed: some 20 MB.
constexpr size_t kMostPending = 1 << 16;

}  // namespace

struct ManifestBuilder::Impl {
  // Turns what is pending into a run.
  void Compress() {
    std::sort(pending.begin(), pending.end(), [](const Record& a, const Record& b) { return a.key < b.key; });
    RunWriter& run = runs.emplace_back(part_names.size());
    for (const Record& record : pending) run.Add(record);
    run.Finish();
    pending.clear();
  }

  std::string source;
  std::vector<std::string> part_names;
  std::vector<Record> pending;
  std::vector<RunWriter> runs;
};

ManifestBuilder::ManifestBuilder(std::string source, std::vector<std::string> part_names)
    : impl_(std::make_unique<Impl>()) {
  if (part_names.empty())
    throw Error(ErrorCode::kInvalidArgument, "a record needs at least one part", source);
  if (std::set<std::string>(part_names.begin(), part_names.end()).size() != part_names.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a part name stands twice in: {}", fmt::join(part_names, ", ")), source);
  }
  impl_->source = std::move(source);
  impl_->part_names = std::move(part_names);
}

ManifestBuilder::~ManifestBuilder() = default;

void ManifestBuilder::Add(Record record) {
  if (record.parts.size() != impl_->part_names.size()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("record \"{}\" has {} parts where {} are named: {}", record.key, record.parts.size(),
                    impl_->part_names.size(), fmt::join(impl_->part_names, ", ")),
        impl_->source);
  }
  for (const RecordPart& part : record.parts) {
    try {
      CheckRange(part);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("record \"{}\": {}", record.key, error.message()), impl_->source);
    }
  }
  impl_->pending.push_back(std::move(record));
  if (impl_->pending.size() == kMostPending) impl_->Compress();
}

Manifest ManifestBuilder::Build() && {
  impl_->Compress();
  const size_t parts = impl_->part_names.size();
  std::vector<RunReader> readers;
  for (const RunWriter& run : impl_->runs) readers.emplace_back(run, parts);
  const auto later = [&](size_t a, size_t b) { return readers[a].record().key > readers[b].record().key; };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> next(later);
  for (size_t i = 0; i < readers.size(); ++i) {
    if (!readers[i].done()) next.push(i);
  }
  ManifestWriter writer(impl_->source, impl_->part_names);
  while (!next.empty()) {
    const size_t reader = next.top();
    next.pop();
    writer.Add(readers[reader].record());
    readers[reader].Next();
    if (!readers[reader].done()) next.push(reader);
  }
  impl_.reset();
  return Manifest::FromBytes(writer.Finish());
}

}  // namespace bucketline
