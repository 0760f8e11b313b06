// Stream: what users open of a training channel that came as a Pipe: samples in the order of their writer, once an epoch.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/dataset/channel_place.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct StreamOptions {
  // Names for the records that make a sample, in the order of the job's AttributeNames. Empty: each record is a sample,
  // "data"; with labels each two are, "data" and "label".
  std::vector<std::string> attributes = {};
  bool labels = false;                    // the second record of each sample is its label
  std::vector<std::string> classes = {};  // names that stand for their places here; empty: labels are numbers
  bool one_hot = false;                   // of classes: rows of 0 and 1
  Duration patience = std::chrono::seconds(60);  // the longest wait for the FIFO, and for its writer
};

// A cheap value. The Runtime outlives it. RecordIO has no keys, no sizes beforehand and no way back: there is nothing to
// look up here, and a StreamLoader is the one reader of a stream.
class Stream {
 public:
  // Throws kInvalidArgument: a channel that is no Pipe, attributes that are named twice or too few, classes without
  // labels.
  Stream(Runtime& runtime, ChannelPlace place, StreamOptions options = {});

  Runtime& runtime() const { return *runtime_; }
  const ChannelPlace& place() const { return place_; }
  const StreamOptions& options() const { return options_; }
  std::string source() const { return "channel:" + place_.name; }
  // The attributes but for the label; a sample's records at these places are its parts.
  const std::vector<std::string>& part_names() const { return part_names_; }
  // Of the channel's name, its attributes and classes: of what is in it a stream knows nothing.
  uint64_t fingerprint() const;

 private:
  Runtime* runtime_;
  ChannelPlace place_;
  StreamOptions options_;
  std::vector<std::string> part_names_;
};

}  // namespace bucketline
