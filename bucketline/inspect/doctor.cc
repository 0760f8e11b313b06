#include "bucketline/inspect/doctor.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "bucketline/http/curl_transport.h"
#include "bucketline/inspect/machine_checks.h"
#include "bucketline/inspect/reach_checks.h"
#include "bucketline/inspect/read_checks.h"
#include "bucketline/runtime/ca_bundle.h"
#include "bucketline/s3/s3_facts.h"
#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

using Status = DoctorCheck::Status;

// One visit: the checks in their order, each only when those that it needs were good.
class Visit {
 public:
  Visit(const RuntimeOptions& runtime, const DoctorOptions& options,
        const std::function<void(const DoctorCheck&)>& progress, std::stop_token stop)
      : runtime_options_(runtime), options_(options), progress_(progress), stop_(std::move(stop)) {
    runtime_options_.s3.deadline = std::min(runtime_options_.s3.deadline, options.patience);
    runtime_options_.s3.max_attempts = std::min(runtime_options_.s3.max_attempts, 3);
  }

  DoctorReport Run(const Uri& uri) {
    LookAt(uri);
    Add(CheckOpenFiles(runtime_options_.connections));
    Add(CheckMemory());
    return std::move(report_);
  }

 private:
  void LookAt(const Uri& uri) {
    Runtime runtime(runtime_options_);
    const Result<std::shared_ptr<ObjectStore>> store = Catch([&] { return runtime.StoreFor(uri); });
    if (!store) {
      const bool who = store.error().code() == ErrorCode::kUnauthenticated;
      Add({.name = who ? "credentials" : "settings",
           .status = Status::kFailed,
           .value = store.error().message()});
      return Skip({"endpoint", "dns", "connection", "clock", "list", "read", "latency", "throughput"});
    }
    const auto facts = FactsOf(**store, options_.patience);
    if (facts && !LookAtNetwork(*facts)) return Skip({"list", "read", "latency", "throughput"});
    if (facts && facts->no_credentials) return Skip({"list", "read", "latency", "throughput"});
    std::vector<ObjectInfo> objects;
    if (!Add(CheckList(**store, Runtime::KeyOf(uri), stop_, objects)))
      return Skip({"read", "latency", "throughput"});
    if (facts) NoteRegion(*facts, **store);
    if (!Add(CheckRead(**store, objects.front(), stop_))) return Skip({"latency", "throughput"});
    if (!Add(MeasureLatency(**store, objects, options_, stop_, report_.latencies_us)))
      return Skip({"throughput"});
    Add(MeasureThroughput(**store, std::move(objects), options_, stop_, report_.bytes_per_second));
  }

  // False when nothing answers there.
  bool LookAtNetwork(const S3Facts& facts) {
    Add(Credentials(facts));
    Add({.name = "endpoint",
         .value = fmt::format("{}, region {}, bucket as {}", facts.endpoint_url, facts.region,
                              facts.virtual_host ? "virtual host" : "path")});
    if (!Add(CheckDns(facts.host))) {
      Skip({"connection", "clock"});
      return false;
    }
    const auto transport =
        MakeCurlTransport({.threads = 1,
                           .connections_per_thread = 1,
                           .ca_bundle = ChooseCaBundle(runtime_options_.ca_bundle,
                                                       [](const char* name) { return std::getenv(name); })});
    std::optional<HttpReply> reply;
    if (!Add(CheckConnection(*transport, facts, options_.patience, stop_, reply))) {
      Skip({"clock"});
      return false;
    }
    Add(JudgeClock(*reply, Clock::Real().WallNow()));
    return true;
  }

  static DoctorCheck Credentials(const S3Facts& facts) {
    DoctorCheck check{.name = "credentials"};
    if (facts.anonymous) {
      check.value = "none: requests are unsigned (--anonymous)";
    } else if (facts.no_credentials) {
      check.status = Status::kFailed;
      check.value = fmt::format("{}: {}", facts.credentials_source, facts.no_credentials->message());
    } else {
      check.value = fmt::format("{}, access key id {}{}", facts.credentials_source, facts.access_key_id,
                                facts.expires ? ", until " + FormatAmzDate(*facts.expires) : "");
    }
    return check;
  }

  // The listing may have found the bucket elsewhere.
  void NoteRegion(const S3Facts& before, const ObjectStore& store) {
    const auto now = FactsOf(store, options_.patience);
    if (now->region == before.region) return;
    Add({.name = "region",
         .status = Status::kWarning,
         .value = fmt::format("the bucket is in {}, not in {}", now->region, before.region),
         .advice = fmt::format("set --region {} or AWS_REGION: it saves a redirect", now->region)});
  }

  // False when it has failed.
  bool Add(DoctorCheck check) {
    if (progress_) progress_(check);
    report_.checks.push_back(std::move(check));
    return report_.checks.back().status != Status::kFailed;
  }

  void Skip(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      Add({.name = name, .status = Status::kSkipped, .value = "not looked at: what it needs has failed"});
    }
  }

  RuntimeOptions runtime_options_;
  const DoctorOptions options_;
  const std::function<void(const DoctorCheck&)>& progress_;
  const std::stop_token stop_;
  DoctorReport report_;
};

}  // namespace

bool DoctorReport::Healthy() const {
  return std::ranges::none_of(checks,
                              [](const DoctorCheck& check) { return check.status == Status::kFailed; });
}

DoctorReport RunDoctor(const std::string& uri, const RuntimeOptions& runtime, const DoctorOptions& options,
                       const std::function<void(const DoctorCheck&)>& progress, std::stop_token stop) {
  return Visit(runtime, options, progress, std::move(stop)).Run(Uri::Parse(uri));
}

}  // namespace bucketline
