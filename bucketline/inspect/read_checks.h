// Whether objects can be listed and read, and how fast.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/inspect/doctor.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// The first page below `prefix`; `objects` are those with bytes in them.
DoctorCheck CheckList(ObjectStore& store, const std::string& prefix, std::stop_token stop,
                      std::vector<ObjectInfo>& objects);

// One byte, pinned to the ETag that was listed: a store may list and yet not serve, or serve another object.
DoctorCheck CheckRead(ObjectStore& store, const ObjectInfo& object, std::stop_token stop);

// One small read after the other, over all objects in turn.
DoctorCheck MeasureLatency(ObjectStore& store, const std::vector<ObjectInfo>& objects,
                           const DoctorOptions& options, std::stop_token stop,
                           std::vector<uint64_t>& latencies_us);

// Ranges of the largest objects, several at a time.
DoctorCheck MeasureThroughput(ObjectStore& store, std::vector<ObjectInfo> objects,
                              const DoctorOptions& options, std::stop_token stop, double& bytes_per_second);

}  // namespace bucketline
