#include "bucketline/records/record_run.h"

#include <algorithm>

#include "bucketline/records/manifest_format.h"

namespace bucketline {

void RunWriter::Add(const Record& record) {
  encoder_.Add(record);
  ++records_;
  if (encoder_.records() == kBlockRecords) Finish();
}

void RunWriter::Finish() {
  if (encoder_.records() == 0) return;
  offsets_.push_back(blocks_.size());
  blocks_ += encoder_.Finish();
}

std::string_view RunWriter::Block(size_t index) const {
  const uint64_t end = index + 1 < offsets_.size() ? offsets_[index + 1] : blocks_.size();
  return std::string_view(blocks_).substr(offsets_[index], end - offsets_[index]);
}

RunReader::RunReader(const RunWriter& run, size_t parts) : run_(&run), parts_(parts) { Load(); }

void RunReader::Next() {
  if (++row_ < rows_.size()) return;
  ++block_;
  Load();
}

void RunReader::Load() {
  row_ = 0;
  rows_.clear();
  const uint64_t before = uint64_t{block_} * kBlockRecords;
  if (before >= run_->records()) return;
  const size_t count = std::min<uint64_t>(kBlockRecords, run_->records() - before);
  rows_ = BlockDecoder(run_->Block(block_), parts_).First(count);
}

}  // namespace bucketline
