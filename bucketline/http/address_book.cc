#include "bucketline/http/address_book.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include "bucketline/base/result.h"
#include "bucketline/exec/thread_pool.h"

namespace bucketline {
namespace {

constexpr Duration kFresh = std::chrono::seconds(30);    // then the host is resolved again
constexpr Duration kKept = std::chrono::minutes(5);      // an address is used after it was last in an answer
constexpr Duration kAvoided = std::chrono::seconds(30);  // after nobody answered there
constexpr size_t kMost = 64;                             // addresses of a host

bool IsNumeric(const std::string& host) {
  in6_addr ignored;
  return host.starts_with('[') || inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::string Bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

struct AddressBook::State {
  struct Address {
    std::string text;
    SteadyTime seen;
    SteadyTime avoid_until = SteadyTime::min();
  };
  struct Host {
    std::vector<Address> addresses;
    size_t turn = 0;
    std::optional<SteadyTime> resolved;
    bool asked = false;  // waits for the thread
  };

  void Run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return closed || !questions.empty(); });
      if (closed) return;
      const std::string name = std::move(questions.front());
      questions.pop_front();
      lock.unlock();
      const Result<std::vector<std::string>> found = Catch([&] { return resolve(name); });
      lock.lock();
      if (closed) return;  // nobody is left to be told, and the clock may be gone
      Take(hosts[name], found ? *found : std::vector<std::string>());
    }
  }

  // Stores answer with a few of their many addresses, others each time: what was seen lately stays.
  void Take(Host& host, const std::vector<std::string>& found) {
    const SteadyTime now = clock->Now();
    host.asked = false;
    host.resolved = now;
    for (const std::string& text : found) {
      const auto known = std::ranges::find(host.addresses, text, &Address::text);
      if (known != host.addresses.end()) {
        known->seen = now;
      } else if (host.addresses.size() < kMost) {
        host.addresses.push_back({.text = text, .seen = now});
      }
    }
    std::erase_if(host.addresses, [&](const Address& address) { return now - address.seen > kKept; });
  }

  const Resolve resolve;
  const Clock* const clock;
  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::map<std::string, Host> hosts;
  std::deque<std::string> questions;
  bool started = false;
  bool closed = false;

  State(Resolve given, const Clock* given_clock) : resolve(std::move(given)), clock(given_clock) {}
};

std::vector<std::string> AddressBook::ResolveBySystem(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  std::vector<std::string> four, six;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0)
      continue;
    (entry->ai_family == AF_INET ? four : six).emplace_back(text);
  }
  return four.empty() ? six : four;
}

AddressBook::AddressBook(Resolve resolve, const Clock* clock)
    : state_(std::make_shared<State>(std::move(resolve), clock)) {}

AddressBook::~AddressBook() {
  std::lock_guard lock(state_->mutex);
  state_->closed = true;
  state_->wake.notify_all();
}

std::optional<std::string> AddressBook::Next(const std::string& name) {
  if (IsNumeric(name)) return std::nullopt;
  std::lock_guard lock(state_->mutex);
  State::Host& host = state_->hosts[name];
  const SteadyTime now = state_->clock->Now();
  if (!host.asked && (!host.resolved || now - *host.resolved > kFresh)) {
    host.asked = true;
    state_->questions.push_back(name);
    if (!std::exchange(state_->started, true)) {
      StartThread("bl-names", [state = state_] { state->Run(); }).detach();
    }
    state_->wake.notify_one();
  }
  if (host.addresses.size() < 2) return std::nullopt;
  for (size_t tries = host.addresses.size(); tries > 0; --tries) {
    const State::Address& address = host.addresses[host.turn++ % host.addresses.size()];
    if (now >= address.avoid_until || tries == 1) return Bracketed(address.text);
  }
  return std::nullopt;
}

void AddressBook::Failed(const std::string& name, const std::string& given) {
  std::lock_guard lock(state_->mutex);
  for (State::Address& address : state_->hosts[name].addresses) {
    if (Bracketed(address.text) == given) address.avoid_until = state_->clock->Now() + kAvoided;
  }
}

}  // namespace bucketline
