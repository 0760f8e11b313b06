#include "bucketline/s3/concurrency_limits.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace bucketline {
namespace {

// Beyond this many scopes new ones share a limit: keys may have any number of first folders.
constexpr size_t kMaxScopes = 256;
// How long after a cut nothing is sent that is not needed.
constexpr Duration kUnrest = std::chrono::seconds(10);

}  // namespace

std::string ConcurrencyScope(const std::string& host, const std::string& bucket, const std::string& key) {
  const size_t folder = key.find('/');
  return host + '/' + bucket + '/' + (folder == std::string::npos ? "" : key.substr(0, folder + 1));
}

ConcurrencyLimits::Permit& ConcurrencyLimits::Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  End(Congestion::kUnknown);
  limits_ = std::exchange(other.limits_, nullptr);
  scope_ = other.scope_;
  wave_ = other.wave_;
  return *this;
}

void ConcurrencyLimits::Permit::End(Congestion congestion) {
  if (ConcurrencyLimits* limits = std::exchange(limits_, nullptr)) limits->EndOne(*scope_, wave_, congestion);
}

ConcurrencyLimits::ConcurrencyLimits(ConcurrencyOptions options, const Clock* clock)
    : options_(options), clock_(clock) {}

ConcurrencyLimits::~ConcurrencyLimits() = default;

ConcurrencyLimits::Scope& ConcurrencyLimits::ScopeLocked(const std::string& name) {
  const auto found = scopes_.find(name);
  if (found != scopes_.end()) return *found->second;
  std::unique_ptr<Scope>& scope = scopes_[scopes_.size() < kMaxScopes ? name : ""];
  if (scope == nullptr) {
    scope = std::make_unique<Scope>();
    scope->limit = std::clamp(options_.first, options_.floor, options_.ceiling);
  }
  return *scope;
}

ConcurrencyLimits::Place ConcurrencyLimits::Enter(const std::string& name, bool retry, Granted granted) {
  std::unique_lock lock(mutex_);
  const Place place = next_place_++;
  Scope& scope = ScopeLocked(name);
  if (scope.HasRoom() && scope.queue.empty()) {
    ++scope.in_flight;
    Permit permit(this, &scope, scope.wave);
    lock.unlock();
    granted(std::move(permit));
    return place;
  }
  const auto at = scope.queue.insert(retry ? scope.queue.begin() : scope.queue.end(),
                                     Waiter{.place = place, .granted = std::move(granted)});
  places_.emplace(place, std::pair(&scope, at));
  return place;
}

bool ConcurrencyLimits::Leave(Place place) {
  Granted dropped;  // after the lock: what it captured may do anything when it goes
  std::lock_guard lock(mutex_);
  const auto found = places_.find(place);
  if (found == places_.end()) return false;
  const auto [scope, at] = found->second;
  dropped = std::move(at->granted);
  scope->queue.erase(at);
  places_.erase(found);
  return true;
}

bool ConcurrencyLimits::TryEnter(const std::string& name, Permit* permit) {
  std::lock_guard lock(mutex_);
  Scope& scope = ScopeLocked(name);
  if (!scope.IsCalm(clock_->Now())) return false;
  ++scope.in_flight;
  *permit = Permit(this, &scope, scope.wave);
  return true;
}

bool ConcurrencyLimits::IsCalm(const std::string& name) {
  std::lock_guard lock(mutex_);
  return ScopeLocked(name).IsCalm(clock_->Now());
}

void ConcurrencyLimits::JudgeLocked(Scope& scope, uint64_t wave, Congestion congestion) {
  if (congestion == Congestion::kSome) {
    scope.calm_since = clock_->Now() + kUnrest;
    if (wave != scope.wave) return;  // let in before the last cut: the same wave
    ++scope.wave;
    ++backoffs_;
    scope.limit = std::max(options_.floor, scope.limit * options_.backoff);
  } else if (congestion == Congestion::kNone && scope.in_flight * 2 >= scope.limit) {
    scope.limit = std::min(options_.ceiling, scope.limit + (scope.wave == 0 ? 1 : 1 / scope.limit));
  }
}

void ConcurrencyLimits::EndOne(Scope& scope, uint64_t wave, Congestion congestion) {
  std::vector<std::pair<Granted, Permit>> let_in;
  {
    std::lock_guard lock(mutex_);
    JudgeLocked(scope, wave, congestion);
    --scope.in_flight;
    while (scope.HasRoom() && !scope.queue.empty()) {
      Waiter waiter = std::move(scope.queue.front());
      scope.queue.pop_front();
      places_.erase(waiter.place);
      ++scope.in_flight;
      let_in.emplace_back(std::move(waiter.granted), Permit(this, &scope, scope.wave));
    }
  }
  for (auto& [granted, permit] : let_in) granted(std::move(permit));
}

ConcurrencyState ConcurrencyLimits::Read() const {
  std::lock_guard lock(mutex_);
  ConcurrencyState state;
  state.backoffs = backoffs_;
  for (const auto& [name, scope] : scopes_) {
    state.in_flight += scope->in_flight;
    state.waiting += scope->queue.size();
    const auto limit = static_cast<size_t>(scope->limit);
    state.limit = state.limit == 0 ? limit : std::min(state.limit, limit);
  }
  return state;
}

}  // namespace bucketline
