// File mode: a channel's objects as files on this machine, whole before the training begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "bucketline/channel/channel.h"
#include "bucketline/channel/channel_objects.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct FileChannelOptions {
  ChannelObjectsOptions objects = {};  // its stop ends the download too
  size_t parallel = 16;                // reads at once: of as many objects, or of 8 MiB pieces of fewer
  std::function<void(uint64_t objects, uint64_t bytes)> progress = {};  // of this run; one call at a time
  // Remembers which files are whole copies, so that the next run keeps them. "": the folder's path and ".index", which is
  // beside the folder: a training process sees nothing but its data.
  std::string index = {};
};

struct FileChannelReport {
  uint64_t objects = 0;  // of the channel, for this host: all are there
  uint64_t kept = 0;     // of them, those that an earlier run had downloaded
  uint64_t bytes = 0;    // of all
  uint64_t downloaded_bytes = 0;
};

// Files are named by their keys below the folder that the URI names, or else, where it ends within names, from the
// prefix's last "/" on. Each appears whole or not at all, of the pinned state of its object. A file that an
// earlier run downloaded is kept when neither its object (ETag and size) nor the file itself changed since; other files in
// the folder stay as they are.
//
// Throws what ChannelObjects::Open does, and before the first byte: kInvalidArgument for keys that cannot be files or
// clash, in one error; kResourceExhausted when the file system has too little room, naming what is needed and free. Then,
// when all others are there, the error of an object that failed, saying how many did; kCancelled when stopped. What was
// downloaded is kept by the next call.
FileChannelReport DownloadChannel(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                  const std::string& folder, const FileChannelOptions& options = {});

}  // namespace bucketline
