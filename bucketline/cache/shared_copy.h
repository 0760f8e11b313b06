// SharedCopy: an object's bytes, mapped by all processes of a machine from one file there.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"
#include "bucketline/base/log.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

struct SharedCopyRules {
  std::string folder = {};                      // of copies; "": DefaultCopyFolder()
  uint64_t least_size = uint64_t{1} << 20;      // of an object that is worth a file
  uint64_t largest_size = uint64_t{16} << 30;   // of one that is read at all; above it kResourceExhausted
  Duration patience = std::chrono::minutes(5);  // with somebody else who reads the object
  std::chrono::hours kept{24 * 7};  // what nobody opened for so long is removed when something is added
};

// "bucketline-UID" below TMPDIR, else below /tmp.
std::string DefaultCopyFolder();

// The whole object. Who comes first reads it into a file of the folder, which is there in full or not at all; others wait for
// that, and map it. Copies are of one state of an object of one store: the ETag is asked for first, always. The folder is its
// owner's alone. Where a file cannot be had (a full or read-only disk, a network file system, a folder of somebody else, nobody
// ready within `patience`), the bytes are read into this process's memory, and `log` is told why. `place` tells the store from
// every other. Throws what the store says; kObjectChanged when the object is replaced again and again meanwhile.
//
// As with MapFile, a file that is cut meanwhile ends the process: none of the owner's programs does that, and what is removed
// stays readable.
Bytes ReadShared(ObjectStore& store, const std::string& key, std::string_view place,
                 const SharedCopyRules& rules, const LogSink& log, const std::stop_token& stop);

}  // namespace bucketline
