// Advise: how to load a dataset on this machine, from a short probe of it, with reasons.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/loader/loader.h"

namespace bucketline {

struct ProbeOptions {
  LoaderOptions loader;
  Duration longest = std::chrono::seconds(20);
  uint64_t looked_at =
      32;  // records whose headers tell the size of images; of them as many as are images count
};

// What a probe found.
struct ProbeFacts {
  uint64_t records = 0;
  double mean_bytes = 0;  // of a record
  bool shards = false;    // records are ranges of larger objects
  bool listed = true;     // the dataset was listed or indexed for this; false: opened from a saved manifest
  size_t cpus = 1;
  uint64_t free_memory = 0;  // bytes that the kernel can give; 0 unknown
  double short_side = 0;     // mean of the images looked at, in pixels; 0: no images
  int wanted_side = 0;       // short side of what is made of them; 0: not decoded
  double seconds = 0;
  LoaderStats stats;
};

// Streams epochs of the dataset for so long, or one when that is shorter. `progress` gets the images so far. Throws what
// Loader does; kCancelled when stopped.
ProbeFacts Probe(const Dataset& dataset, const ProbeOptions& options,
                 const std::function<void(uint64_t images)>& progress = {}, std::stop_token stop = {});

struct Advice {
  std::string about;  // "threads", "memory", "requests", "pack", "index"
  std::string value;  // what to give: "2", "512 MiB", "no"
  std::string reason;
};

// A pure function, one of each kind. Precondition: the probe delivered an image.
std::vector<Advice> Advise(const ProbeFacts& facts);

}  // namespace bucketline
