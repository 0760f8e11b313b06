// AddressBook: all addresses of the hosts that requests go to, dealt out in turn.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bucketline/base/clock.h"

namespace bucketline {

// libcurl tries the first address of an answer first, always: without this all connections would end at one server of
// the many that stand behind a store's name. Thread-safe.
class AddressBook {
 public:
  // Numeric addresses of a host, IPv6 without brackets; none when it is not known. May block; runs on the book's thread.
  using Resolve = std::function<std::vector<std::string>(const std::string& host)>;

  // IPv4 where a host has any: a network that cannot route IPv6 though names have it is common, and nobody here tries
  // both for one request as libcurl does.
  static std::vector<std::string> ResolveBySystem(const std::string& host);

  explicit AddressBook(Resolve resolve = ResolveBySystem, const Clock* clock = &Clock::Real());
  // Does not wait for a resolution that runs: it cannot be cancelled, and holds nothing but what it needs itself.
  ~AddressBook();
  AddressBook(const AddressBook&) = delete;
  AddressBook& operator=(const AddressBook&) = delete;

  // Whose turn it is, as CURLOPT_CONNECT_TO wants it (IPv6 in brackets). Never blocks: nullopt while the host is being
  // resolved for the first time, when it has one address only, and for numeric hosts: libcurl then finds its own way.
  std::optional<std::string> Next(const std::string& host);

  // Nobody answered there: it is left out for a while, unless the others are left out too.
  void Failed(const std::string& host, const std::string& address);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace bucketline
