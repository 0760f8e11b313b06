#include "bucketline/s3/s3_client.h"

#include <condition_variable>
#include <mutex>
#include <random>

#include <fmt/format.h>

#include "bucketline/s3/s3_operation.h"

namespace bucketline {
namespace {

constexpr Duration kBetweenWarnings = std::chrono::seconds(5);
constexpr Duration kNewsworthySkew = std::chrono::seconds(60);

}  // namespace

double SystemRandom() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return static_cast<double>(generator() >> 11) * 0x1.0p-53;
}

S3Client::S3Client(S3Settings settings, S3Environment environment)
    : settings_(std::move(settings)),
      place_(settings_.place, settings_.bucket, settings_.options.addressing, settings_.custom_endpoint),
      environment_(std::move(environment)),
      policy_(settings_.options.max_attempts, settings_.options.deadline, environment_.backoff),
      next_warning_(environment_.clock->Now().time_since_epoch().count()) {}

void S3Client::Start(S3Request request, std::shared_ptr<S3Receiver> receiver, std::stop_token stop,
                     S3Done done) {
  S3Operation::Start(shared_from_this(), std::move(request), std::move(receiver), stop, std::move(done));
}

S3Outcome S3Client::Run(S3Request request, std::shared_ptr<S3Receiver> receiver, std::stop_token stop) {
  struct Waiter {
    std::mutex mutex;
    std::condition_variable ended;
    std::optional<S3Outcome> outcome;
  };
  const auto waiter = std::make_shared<Waiter>();
  Start(std::move(request), std::move(receiver), std::move(stop), [waiter](S3Outcome outcome) {
    std::lock_guard lock(waiter->mutex);
    waiter->outcome = std::move(outcome);
    waiter->ended.notify_all();
  });
  std::unique_lock lock(waiter->mutex);
  waiter->ended.wait(lock, [&] { return waiter->outcome.has_value(); });
  return std::move(*waiter->outcome);
}

void S3Client::Shutdown() {
  tracker_.CancelAndWait();
  // Afterwards: requests that wait for credentials have ended, and nothing asks for others.
  if (settings_.credentials) settings_.credentials->Stop();
}

void S3Client::Later(std::function<void()> work) {
  environment_.timer->After(Duration::zero(), [self = shared_from_this(), ticket = tracker_.Enter(),
                                               work = std::move(work)](bool) mutable {
    work();
    work = nullptr;
    ticket.reset();
  });
}

S3ErrorContext S3Client::ContextOf(const S3Request& request) const {
  S3ErrorContext context;
  context.uri = request.subject.empty() ? UriOf(request.key) : request.subject;
  const auto place = place_.Get();
  context.endpoint_url = place->endpoint.Url();
  context.bucket = settings_.bucket;
  context.region = place->region;
  context.method = request.method;
  context.anonymous = settings_.credentials == nullptr;
  context.requester_pays = settings_.options.requester_pays;
  for (const auto& [name, value] : request.headers) context.if_match |= name == "If-Match";
  context.if_absent = request.if_absent;
  context.completes_upload = request.completes_upload;
  context.now = environment_.clock->WallNow();
  context.signed_at = ServerNow();
  return context;
}

WallTime S3Client::ServerNow() const {
  return environment_.clock->WallNow() + Duration(clock_offset_.load(std::memory_order_relaxed));
}

HttpRequest S3Client::Build(const S3Request& request, const Place& place, const Credentials* credentials) {
  return BuildHttpRequest(place, settings_.options.requester_pays, request, credentials, ServerNow(), keys_);
}

void S3Client::CorrectClock(WallTime server_time) {
  const Duration offset = server_time - environment_.clock->WallNow();
  const Duration before(clock_offset_.exchange(offset.count(), std::memory_order_relaxed));
  if (std::chrono::abs(offset - before) < kNewsworthySkew) return;  // another request has said so
  environment_.log(
      LogLevel::kWarning,
      fmt::format("this machine's clock differs from {}'s by {} s; signing with the server's time",
                  place_.Get()->endpoint.Url(),
                  std::chrono::duration_cast<std::chrono::seconds>(offset).count()));
}

void S3Client::WarnOfRetries(const Error& error, int attempts) {
  const auto now = environment_.clock->Now().time_since_epoch().count();
  auto next = next_warning_.load(std::memory_order_relaxed);
  if (now < next || !next_warning_.compare_exchange_strong(next, now + kBetweenWarnings.count())) return;
  environment_.log(LogLevel::kWarning,
                   fmt::format("failed {} times, still trying: {}", attempts, error.what()));
}

}  // namespace bucketline
