#include "bucketline/records/synthetic_manifest.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/base/random.h"

namespace bucketline {

Record SyntheticRecord(uint64_t number) {
  CounterRng random(1, 0, number);
  const uint64_t folder = random.NextBelow(1000);
  const uint64_t digits = random.NextU64();
  const uint64_t tag[] = {random.NextU64(), random.NextU64()};
  RecordPart part;
  part.object_key = fmt::format("training-images/class-{:04}/{:016x}-{:011}.jpeg", folder, digits, number);
  part.etag = fmt::format("\"{:016x}{:016x}\"", tag[0], tag[1]);
  part.length = part.object_size = 20'000 + random.NextBelow(400'000);
  Record record{.key = part.object_key, .parts = {}};
  record.parts.push_back(std::move(part));
  return record;
}

Manifest SyntheticManifest(uint64_t records) {
  ManifestBuilder builder("mem://synthetic/training-images/");
  for (uint64_t number = 0; number < records; ++number) builder.Add(SyntheticRecord(number));
  return std::move(builder).Build();
}

}  // namespace bucketline
