// Server: a small S3 endpoint over any ObjectStore, for demos, tests and machines without a cloud.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/base/log.h"
#include "bucketline/base/metrics.h"
#include "bucketline/serve/buckets.h"
#include "bucketline/serve/fault_plan.h"
#include "bucketline/serve/operation.h"

namespace bucketline {

struct ServerOptions {
  std::string address = "127.0.0.1";  // loopback unless told otherwise; an IPv4 or IPv6 address
  uint16_t port = 0;                  // 0: any free one
  std::string access_key_id;          // both or none; none: random ones are made
  std::string secret_access_key;
  bool anonymous = false;  // serve unsigned requests too
  std::string region = "us-east-1";
  size_t threads = 2;             // for the network; work on disks has four more
  size_t max_connections = 1024;  // more are closed at once; each holds at most about 1 MiB
  Duration idle_timeout = std::chrono::seconds(60);  // without progress, in any direction
  uint64_t max_object_size = uint64_t{5} << 30;      // of one PutObject or UploadPart
  uint64_t min_part_size = uint64_t{5} << 20;        // of a multipart upload, the last part excepted
  FaultPlan faults;
  LogSink log = LogToNowhere();  // one line per failed request at kDebug
};

struct ServerCounters {
  const Counter& of(Operation operation) const { return operations[static_cast<size_t>(operation)]; }
  const Counter& of(ServeFault fault) const { return faults[static_cast<size_t>(fault)]; }

  std::array<Counter, kOperations> operations;   // requests, refused and disturbed ones included
  std::array<Counter, kServeFaultKinds> faults;  // injected; kNone counts those that got away
  Counter failures;                              // answers with a status of 400 or more
  Counter connections;
  Counter connections_refused;  // above max_connections
  Counter bytes_in;             // of bodies
  Counter bytes_out;
};

// Listens from construction to Stop. Thread-safe but for its destruction.
class Server {
 public:
  // Throws kInvalidArgument (options), kIo (the address cannot be listened on).
  Server(ServerOptions options, std::unique_ptr<BucketProvider> buckets);
  ~Server();  // Stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string endpoint_url() const;  // "http://127.0.0.1:43210"
  const std::string& access_key_id() const;
  const std::string& secret_access_key() const;
  BucketProvider& buckets();  // to look into, or to make buckets without a request
  const ServerCounters& counters() const;

  // For requests from now on; throws kInvalidArgument.
  void SetFaults(const FaultPlan& plan);

  // Ends every connection and joins all threads, within a second unless a disk stalls. Idempotent.
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
