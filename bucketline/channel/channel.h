// What a training channel is, and a channel that is being served.
//
// The contract is that of Amazon SageMaker's training channels: CreateTrainingJob's InputDataConfig and the container
// contract of its developer guide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bucketline/base/error.h"

namespace bucketline {

// How the training process gets the bytes: whole files before it starts, a read-only file system that reads on demand,
// or one FIFO an epoch.
enum class ChannelMode { kFile, kFastFile, kPipe };

// What the channel's URI names: every key that begins with it; a manifest ([{"prefix": ...}, suffix, ...]); or JSON
// lines whose attributes are values or references to objects (kPipe only).
enum class ChannelData { kS3Prefix, kManifestFile, kAugmentedManifestFile };

enum class ChannelCompression { kNone, kGzip };  // kGzip: inflated while it streams (kPipe only)
enum class ChannelWrapper {
  kNone,
  kRecordIo
};  // kRecordIo: each object or attribute is one record (kPipe only)

// One channel of a job, as its description says. Fields that go together were checked by whoever made it.
struct ChannelSpec {
  std::string name;  // 1 to 64 of [A-Za-z0-9.\-_]
  std::string uri;   // s3://bucket/prefix, or the URI of the manifest
  ChannelMode mode = ChannelMode::kFile;
  ChannelData data = ChannelData::kS3Prefix;
  std::vector<std::string> attributes = {};  // of an augmented manifest, in the order that they are sent
  ChannelCompression compression = ChannelCompression::kNone;
  ChannelWrapper wrapper = ChannelWrapper::kNone;
  std::optional<int64_t> shuffle_seed = {};  // kPipe: another order of objects or lines in every epoch
  bool sharded = false;                      // ShardedByS3Key: each host gets its share of the objects
};

// One host of a job; index < count.
struct ChannelHost {
  size_t index = 0;
  size_t count = 1;
};

// Called at most once, on a thread of the channel, with what ended the serving: the job must fail, as the reader cannot
// be told. Must be short and must not throw.
using ChannelFailure = std::function<void(Error)>;

// A channel that is being served. Destroying it ends the serving within the deadlines of its parts: its threads are
// joined, and its FIFOs and mounts are gone.
class ServedChannel {
 public:
  ServedChannel() = default;
  virtual ~ServedChannel() = default;
  ServedChannel(const ServedChannel&) = delete;
  ServedChannel& operator=(const ServedChannel&) = delete;

  virtual uint64_t bytes_served() const = 0;  // given to the reader so far
};

}  // namespace bucketline
