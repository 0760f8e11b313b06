#include "bucketline/runtime/runtime.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/runtime/ca_bundle.h"
#include "bucketline/runtime/caches.h"
#include "bucketline/runtime/file_location.h"
#include "bucketline/s3/concurrency_limits.h"
#include "bucketline/s3/hedge_rules.h"
#include "bucketline/s3/retry_budget.h"
#include "bucketline/store/file_store.h"

namespace bucketline {
namespace {

CurlTransportOptions TransportOptions(const RuntimeOptions& options) {
  CurlTransportOptions transport;
  transport.threads = options.network_threads;
  transport.connections_per_thread =
      (options.connections + options.network_threads - 1) / options.network_threads;
  transport.ca_bundle = ChooseCaBundle(options.ca_bundle, [](const char* name) { return std::getenv(name); });
  return transport;
}

void Validate(const RuntimeOptions& options) {
  if (options.network_threads == 0) {
    throw Error(ErrorCode::kInvalidArgument, "network_threads must be at least 1");
  }
  if (options.connections == 0) {
    throw Error(ErrorCode::kInvalidArgument, "connections must be at least 1");
  }
  if (!options.log)
    throw Error(ErrorCode::kInvalidArgument,
                "the log must be callable; LogToNowhere() is one that says nothing");
}

struct CachedStore {
  std::string scheme;
  std::string place;  // bucket, or root of files
  S3Options s3;       // default for what is not S3
  std::shared_ptr<ObjectStore> store;
};

}  // namespace

// Members are destroyed from the last to the first: stores cancel what they have under way and wait for it,
// which needs the transport and the timer; the transport's callbacks touch the counters.
struct Runtime::Impl {
  explicit Impl(RuntimeOptions given) : options(std::move(given)) {
    Validate(options);
    if (options.memory > 0) memory = std::make_unique<MemoryBudget>(options.memory);
    timer = std::make_unique<Timer>();
    transport = MakeCurlTransport(TransportOptions(options));
  }

  void CheckProcess() const {
    const pid_t now = getpid();
    if (now == process) return;
    throw Error(
        ErrorCode::kInternal,
        fmt::format(
            "this Runtime was made in process {} and is used after fork in process {}, where its threads "
            "do not exist; make the Runtime, its Datasets and Loaders in the process that uses them",
            process, now));
  }

  std::shared_ptr<ObjectStore> Make(const Uri& uri, const std::string& place, const S3Options& s3) {
    if (uri.scheme == "file") return MakeFileStore(place);
    return MakeS3Store(place, s3,
                       {.transport = transport.get(),
                        .timer = timer.get(),
                        .retry_budget = &retry_budget,
                        .counters = &counters,
                        .hedges = options.hedge ? &hedges : nullptr,
                        .limits = &limits,
                        .clock = &Clock::Real(),
                        .log = options.log});
  }

  std::shared_ptr<ObjectStore> Find(const Uri& uri, const S3Options& given) {
    const std::string place = uri.scheme == "file" ? LocateFile(uri.key).root : uri.bucket;
    const S3Options s3 = uri.scheme == "s3" ? given : S3Options{};
    std::lock_guard lock(mutex);
    for (const CachedStore& cached : stores) {
      if (cached.scheme == uri.scheme && cached.place == place && cached.s3 == s3) return cached.store;
    }
    if (uri.scheme == "mem") {
      throw Error(ErrorCode::kNotFound, "no store of this name; register it with Runtime::AddStore first",
                  fmt::format("mem://{}", uri.bucket));
    }
    stores.push_back({uri.scheme, place, s3, Make(uri, place, s3)});
    return stores.back().store;
  }

  const pid_t process = getpid();
  const RuntimeOptions options;
  std::unique_ptr<MemoryBudget> memory;
  S3Counters counters;
  RetryBudget retry_budget{RetryBudget::CapacityFor(options.connections)};
  HedgeRules hedges{&counters};
  ConcurrencyLimits limits{{.ceiling = static_cast<double>(options.connections)}};
  std::unique_ptr<Timer> timer;
  std::unique_ptr<HttpTransport> transport;
  Caches caches{options.log};
  std::mutex mutex;                 // guards stores
  std::vector<CachedStore> stores;  // a handful: one per bucket
};

Runtime::Runtime(RuntimeOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Runtime::~Runtime() {
  // In a forked child the threads to join do not exist; waiting for them would never end.
  if (getpid() != impl_->process) [[maybe_unused]]
    Impl* const leaked = impl_.release();
}

std::shared_ptr<ObjectStore> Runtime::StoreFor(const Uri& uri) { return StoreFor(uri, impl_->options.s3); }

std::shared_ptr<ObjectStore> Runtime::StoreFor(const Uri& uri, const S3Options& s3) {
  impl_->CheckProcess();
  try {
    return impl_->Find(uri, s3);
  } catch (const Error& error) {  // no credentials, say: for which bucket?
    throw error.WithUri(uri.ToString());
  }
}

std::shared_ptr<ObjectStore> Runtime::WithCache(std::shared_ptr<ObjectStore> store, const CacheOptions& cache,
                                                std::string_view source) {
  impl_->CheckProcess();
  return impl_->caches.Put(std::move(store), cache, source);
}

std::shared_ptr<ObjectStore> Runtime::WithCache(std::shared_ptr<ObjectStore> store, std::string_view source) {
  impl_->CheckProcess();
  return impl_->caches.Keep(std::move(store), impl_->options.cache, source);
}

CacheStats Runtime::cache_stats() const { return impl_->caches.Stats(); }

std::string Runtime::KeyOf(const Uri& uri) {
  return uri.scheme == "file" ? LocateFile(uri.key).key : uri.key;
}

void Runtime::AddStore(const std::string& name, std::shared_ptr<ObjectStore> store) {
  impl_->CheckProcess();
  if (store == nullptr)
    throw Error(ErrorCode::kInvalidArgument, "AddStore was given no store", "mem://" + name);
  std::lock_guard lock(impl_->mutex);
  for (const CachedStore& cached : impl_->stores) {
    if (cached.scheme == "mem" && cached.place == name) {
      throw Error(ErrorCode::kAlreadyExists, "a store of this name is registered already", "mem://" + name);
    }
  }
  impl_->stores.push_back({"mem", name, {}, std::move(store)});
}

MemoryBudget* Runtime::memory() {
  impl_->CheckProcess();
  return impl_->memory.get();
}

const S3Counters& Runtime::counters() const { return impl_->counters; }

ConcurrencyState Runtime::concurrency() const { return impl_->limits.Read(); }

const RuntimeOptions& Runtime::options() const { return impl_->options; }

Timer& Runtime::timer() {
  impl_->CheckProcess();
  return *impl_->timer;
}

const LogSink& Runtime::log() const { return impl_->options.log; }

}  // namespace bucketline
