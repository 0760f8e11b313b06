// RunDoctor: everything that must be right before data streams, looked at one by one.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct DoctorCheck {
  enum class Status {
    kGood,
    kWarning,  // it works, but somebody should know
    kFailed,
    kSkipped,  // what it needs has failed
  };
  std::string
      name;  // "credentials", "endpoint", "dns", "connection", "clock", "list", "read", "latency", "throughput",
             // "open files", "memory"
  Status status = Status::kGood;
  std::string value = {};   // what was found, one line
  std::string advice = {};  // what to do; "" when there is nothing to do
};

struct DoctorOptions {
  int small_reads = 100;
  uint64_t small_read_bytes = 4096;
  Duration latency_limit = std::chrono::seconds(20);
  uint64_t range_bytes = uint64_t{8} << 20;
  size_t range_threads = 8;
  uint64_t throughput_bytes = uint64_t{128} << 20;  // at most
  Duration throughput_limit = std::chrono::seconds(5);
  Duration patience = std::chrono::seconds(20);  // for credentials, and for one request with its attempts
};

struct DoctorReport {
  std::vector<DoctorCheck> checks;
  std::vector<uint64_t> latencies_us;  // of the small reads, ascending
  double bytes_per_second = 0;         // of the ranges; 0: not measured

  bool Healthy() const;  // no check has failed
};

// Looks at an s3:// URI, or at a folder without the network's part. Never throws for what it finds wrong: that is the
// report; kCancelled when stopped. `progress` gets each check as soon as it is done.
DoctorReport RunDoctor(const std::string& uri, const RuntimeOptions& runtime, const DoctorOptions& options,
                       const std::function<void(const DoctorCheck&)>& progress = {},
                       std::stop_token stop = {});

}  // namespace bucketline
