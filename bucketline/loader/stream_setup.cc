#include "bucketline/loader/stream_setup.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/loader/loader_setup.h"

namespace bucketline {
namespace {

constexpr uint64_t kUsualRecord = uint64_t{1} << 20;

}  // namespace

LoaderOptions WithStreamDefaults(const Stream& stream, LoaderOptions options) {
  const auto refuse = [&](bool when, const std::string& what) {
    if (when) throw Error(ErrorCode::kInvalidArgument, "a Pipe is a stream: " + what, stream.source());
  };
  refuse(options.window > 0, "its order is the writer's, so there is no window of shards to shuffle within");
  refuse(options.shuffle,
         "its order is the writer's, so shuffle cannot be; give the channel a ShuffleConfig, which gives "
         "every epoch "
         "another order");
  refuse(options.epoch_size > 0, "an epoch is what its writer sends, so epoch_size cannot be");
  refuse(options.sampling != Sampling::kAll,
         "its samples come once each, so sampling is all; use input mode FastFile for another");
  refuse(
      options.world_size > 1,
      "all of it goes to one process, so it is not dealt to ranks; give the channel S3DataDistributionType "
      "ShardedByS3Key and run one process on each host, which is rank 0 of 1 there");
  refuse(
      options.last == LastPolicy::kPad,
      "at its end there is no way back to samples that could fill the last batch; use last partial or drop");
  refuse(options.transform != nullptr,
         "its samples have no keys, which a transform is given; transform the batches, or use input mode "
         "FastFile");
  return WithDefaults(std::move(options));
}

MemoryNeeds StreamNeeds(const Stream& stream, std::span<const Field> fields, const LoaderOptions& options) {
  MemoryNeeds needs;
  needs.largest_record = kUsualRecord;
  needs.largest_uri = stream.source();
  const bool sized = std::any_of(fields.begin(), fields.end(),
                                 [](const Field& field) { return field.decode && field.image.height == 0; });
  if (sized) {
    needs.rows = MemoryNeeds::Rows::kSized;
  } else if (AnyDecodes(fields)) {
    needs.tensor_bytes = needs.batch_bytes = LayOutTensors(fields, {}, options.batch_size).bytes;
  } else {
    needs.rows = MemoryNeeds::Rows::kRaw;
    needs.batch_bytes = kUsualRecord;
  }
  const uint64_t minimum = MinimumMemory(needs);
  if (options.memory >= minimum) return needs;
  throw Error(
      ErrorCode::kResourceExhausted,
      fmt::format(
          "a loader's memory of {} ({} bytes) is too small: for samples of {} and two batches the minimum "
          "is {} ({} bytes); give more memory or use smaller batches",
          FormatByteSize(options.memory), options.memory, FormatByteSize(kUsualRecord),
          FormatByteSize(minimum), minimum),
      stream.source());
}

}  // namespace bucketline
