// ConcurrencyLimits: how many requests may be under way at a time; grows while all is well, falls when a store is
// congested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/s3/s3_store.h"

namespace bucketline {

struct ConcurrencyOptions {
  double first = 32;  // a scope's limit before anything is known
  double floor = 4;   // never below: progress, and a way to notice that the congestion is over
  double ceiling = 128;
  double backoff = 0.7;  // what is left of the limit after congestion
};

// How an exchange bears on its scope. Judged by status and first byte, never by the time that a body takes: a transfer
// that is limited by its bytes is not congested.
enum class Congestion {
  kNone,    // the store answered
  kSome,    // it asked for fewer requests, or did not begin to answer in time
  kUnknown  // nothing can be said: cancelled, no connection
};

// Additive increase, multiplicative decrease, for each scope: a store's name, a bucket and the first folder of the keys,
// as S3 divides its capacity by prefix. Until its first congestion a scope doubles its limit in a round of requests;
// afterwards it adds one in a round. One wave of refusals counts once: whoever was let in before a cut does not cause
// another one. Shared by all requests of a Runtime. Thread-safe.
class ConcurrencyLimits {
  struct Scope;

 public:
  // A place among the requests under way. Ends as kUnknown unless End was called. Must not outlive its limits.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept : limits_(other.limits_), scope_(other.scope_), wave_(other.wave_) {
      other.limits_ = nullptr;
    }
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { End(Congestion::kUnknown); }

    // Lets in whoever may come now: calls back on this thread. Idempotent.
    void End(Congestion congestion);

   private:
    friend class ConcurrencyLimits;
    Permit(ConcurrencyLimits* limits, Scope* scope, uint64_t wave)
        : limits_(limits), scope_(scope), wave_(wave) {}
    ConcurrencyLimits* limits_ = nullptr;
    Scope* scope_ = nullptr;
    uint64_t wave_ = 0;
  };

  using Granted = std::function<void(Permit)>;
  using Place = uint64_t;  // in the queue

  explicit ConcurrencyLimits(ConcurrencyOptions options = {}, const Clock* clock = &Clock::Real());
  ~ConcurrencyLimits();

  // Calls `granted` exactly once unless the place is left before: inside this call, or later on the thread that ends a
  // permit. First come, first served, but a retry, which somebody has waited for already, goes to the front.
  Place Enter(const std::string& scope, bool retry, Granted granted);
  // True when `granted` will never be called.
  bool Leave(Place place);

  // A permit at once or none: for what nobody waits for. None either when the scope was congested lately.
  bool TryEnter(const std::string& scope, Permit* permit);
  bool IsCalm(const std::string& scope);  // whether it would now

  ConcurrencyState Read() const;

 private:
  struct Waiter {
    Place place = 0;
    Granted granted;
  };
  struct Scope {
    double limit = 0;
    size_t in_flight = 0;
    uint64_t wave = 0;  // counts cuts
    SteadyTime calm_since = SteadyTime::min();
    std::list<Waiter> queue;
    bool IsCalm(SteadyTime now) const { return HasRoom() && queue.empty() && now >= calm_since; }
    bool HasRoom() const { return in_flight < static_cast<size_t>(limit); }
  };

  Scope& ScopeLocked(const std::string& name);
  void EndOne(Scope& scope, uint64_t wave, Congestion congestion);
  void JudgeLocked(Scope& scope, uint64_t wave, Congestion congestion);

  const ConcurrencyOptions options_;
  const Clock* const clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Scope>> scopes_;  // never removed: permits point at them
  std::map<Place, std::pair<Scope*, std::list<Waiter>::iterator>> places_;
  Place next_place_ = 1;
  uint64_t backoffs_ = 0;
};

// The scope of a key: "host/bucket/first folder".
std::string ConcurrencyScope(const std::string& host, const std::string& bucket, const std::string& key);

}  // namespace bucketline
