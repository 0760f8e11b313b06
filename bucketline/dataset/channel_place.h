// ChannelPlace: where a training channel is in the container that this process runs in, and how it came.
//
// The contract is that of Amazon SageMaker's training containers: inputdataconfig.json lists the channels below
// /opt/ml (or SAGEMAKER_BASE_DIR), and SM_CHANNEL_<NAME>, the name in capitals, is what the training toolkit says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bucketline/base/error.h"
#include "bucketline/runtime/ca_bundle.h"

namespace bucketline {

struct ChannelPlace {
  std::string name;
  std::string folder;        // of File and FastFile
  bool is_pipe = false;      // then there is no folder, but FIFOs <folder>_0, <folder>_1, ... one an epoch
  bool sharded = false;      // each host has its share of the objects
  size_t hosts = 1;          // of the job
  std::string state_folder;  // of a Pipe: which FIFO comes next is kept here, as AWS's own readers do

  std::string Fifo(uint64_t number) const;  // its path
};

// "train" of "channel:train"; nullopt for what names no channel. Throws kInvalidArgument for a name that no channel can
// have: 1 to 64 of [A-Za-z0-9.\-_].
std::optional<std::string> ChannelName(std::string_view uri);

// nullopt outside a job: there is neither an inputdataconfig.json nor the channel's variable. Throws kNotFound in a job
// that has no such channel, naming those that it has; kInvalidArgument for an inputdataconfig.json that does not parse.
std::optional<ChannelPlace> FindChannel(std::string_view name, const EnvironmentLookup& environment);

// The channel of the job whose folder this is, as SM_CHANNEL_<NAME> says it: that of a Pipe is not there. nullopt for any
// other path, and outside a job.
std::optional<ChannelPlace> FindChannelOf(std::string_view folder, const EnvironmentLookup& environment);

// kNotFound: says which variables and folders were looked at.
Error NoSuchChannel(std::string_view name, const EnvironmentLookup& environment);

// For who reads files: `uri` itself, or the folder of the channel that it names. Throws what FindChannel does,
// NoSuchChannel outside a job, and kInvalidArgument for a Pipe, which has no files.
std::string FolderOfChannel(std::string_view uri, const EnvironmentLookup& environment);

}  // namespace bucketline
