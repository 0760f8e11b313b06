// The project's own files and those of a checkpoint.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/harnesses.h"

#include "bucketline/base/bytes.h"
#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/manifest_format.h"
#include "bucketline/train/run_state.h"
#include "bucketline/train/safetensors.h"

namespace bucketline::fuzz {
namespace {

Bytes Copy(std::span<const uint8_t> data) {
  return Bytes::FromVector(std::vector<uint8_t>(data.begin(), data.end()));
}

void ReadManifest(const Bytes& bytes) {
  try {
    const Manifest manifest = Manifest::FromBytes(bytes);
    const uint64_t size = manifest.size();
    for (uint64_t i = 0; i < size && i < 200; ++i) manifest.At(i);
    if (size > 0) manifest.At(size - 1);
    manifest.labels();
  } catch (const Error&) {
  }
}

}  // namespace

// As a file; then as the block and the labels of a file whose checksums are right, because no fuzzer guesses
// those: byte 0 is the number of records, byte 1 the share of the block.
void FuzzManifest(std::span<const uint8_t> data) {
  ReadManifest(Copy(data));
  if (data.size() < 2) return;
  const std::string_view rest(reinterpret_cast<const char*>(data.data()) + 2, data.size() - 2);
  const std::string_view block = rest.substr(0, rest.size() * data[1] / 255);
  const std::string_view labels = rest.substr(block.size());
  ManifestHeader header;
  header.source = "s3://b/";
  header.records = 1 + data[0] % kBlockRecords;
  header.blocks_size = block.size();
  header.labels_size = labels.size();
  header.labels_checksum = StableHash64(labels);
  std::string table(8, '\0');
  const uint64_t checksum = BlockChecksum(block, 0, header.fingerprint);
  for (int i = 0; i < 8; ++i) table.push_back(static_cast<char>(checksum >> (8 * i)));
  ReadManifest(JoinManifest(header, table, block, labels));
}

void FuzzSafetensors(std::span<const uint8_t> data) {
  try {
    const SafetensorsFile file(Copy(data));
    unsigned sum = 0;
    for (const auto& [name, tensor] : file.tensors()) {
      if (!tensor.data.empty()) sum += tensor.data.front() + tensor.data.back();
    }
    if (sum > 510u * file.tensors().size()) std::abort();
  } catch (const Error&) {
  }
}

void FuzzRunState(std::span<const uint8_t> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  try {
    const RunState state = RunState::FromJson(text, "state.json");
    if (RunState::FromJson(state.ToJson(), "again").ToJson() != state.ToJson()) std::abort();
  } catch (const Error&) {
  }
}

}  // namespace bucketline::fuzz
