// FastFile mode: a channel's objects as a read-only file system that reads on demand.
#pragma once

#include <memory>
#include <string>

#include "bucketline/channel/channel.h"
#include "bucketline/channel/channel_objects.h"
#include "bucketline/channel/mount.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct FastFileOptions {
  ChannelObjectsOptions objects = {};
  MountOptions mount = {};     // allow_other is set for root: a training process may be another user
  ChannelFailure failed = {};  // when somebody unmounts it
};

// Mounts what the channel names for this host on `folder`, which is made if it is not there, with threads of its own.
// Keys that cannot be paths are left out; how many, and the first few, is logged. Throws what ChannelObjects::Open
// and Mount do; kInvalidArgument for a manifest, and for a prefix that ends within names ("/" is the delimiter).
std::unique_ptr<ServedChannel> ServeFastFile(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                             const std::string& folder, FastFileOptions options = {});

}  // namespace bucketline
