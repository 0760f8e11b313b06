// StoreContract: what every ObjectStore must do, as one suite that each implementation instantiates:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values(fixture), FixtureName);
//
// What a store cannot do is declared in its fixture, so that deviations are visible in one place.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/store/blocking.h"
#include "bucketline/store/object_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline::testing {

// A store and what must live as long as it does: its folder, its server.
struct LiveStore {
  std::shared_ptr<void> backing;
  std::unique_ptr<ObjectStore> store;
  // A faster way to put many small objects, where there is one; empty: through the store.
  std::function<void(const std::string& key, const std::string& content)> fast_put = {};
};

struct StoreFixture {
  std::string name;                 // letters and digits
  std::function<LiveStore()> make;  // each call gives an empty store, apart from all others

  // Deviations.
  bool supports_key_below_key = true;   // "a" and "a/b" at once
  bool supports_empty_segments = true;  // "a//b", "a/"
  bool supports_dot_segments = true;    // "a/../b" as a key like any other
  bool supports_if_absent = true;       // WriteCondition::if_absent
  bool supports_control_bytes = true;   // a key with U+0001 and a newline
  bool supports_start_after = true;     // with pages of few keys
  bool supports_pages_of_one = true;    // below a prefix that is an object's key

  // Speed.
  int writer_threads = 8;  // for filling a store
  int many_keys = 2500;    // of the paging case: more than 2000, at most 3000
  size_t large_bytes = 20'000'000;
  int model_operations = 300;
  std::chrono::milliseconds deadline = std::chrono::seconds(120);  // of any one wait
};

inline void PrintTo(const StoreFixture& fixture, std::ostream* out) { *out << fixture.name; }
inline std::string FixtureName(const ::testing::TestParamInfo<StoreFixture>& info) { return info.param.name; }

class StoreContract : public ::testing::TestWithParam<StoreFixture> {
 protected:
  StoreContract() : live_(GetParam().make()) {}

  ObjectStore& store() { return *live_.store; }
  const StoreFixture& fixture() const { return GetParam(); }
  void DestroyStore() { live_.store.reset(); }

  // Puts each key with its own name as the content, by several threads.
  void Fill(const std::vector<std::string>& keys);

  // The result of one asynchronous call, within the deadline.
  Result<ObjectInfo> Get(GetRequest request, std::shared_ptr<GetSink> sink);
  Result<ObjectInfo> Head(std::string key);
  Result<void> Delete(std::string key);
  Result<ListPage> List(ListRequest request);

  std::vector<std::string> AllKeys();

 private:
  LiveStore live_;
};

std::vector<std::string> KeysOf(const std::vector<ObjectInfo>& objects);

// The code of the Error that `call` throws; fails the test and gives kInternal when it throws none.
ErrorCode CodeThrownBy(const std::function<void()>& call);

// "ok" or the code's name: what to compare results by, so that failures read well.
template <typename T>
std::string Outcome(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(ErrorCodeName(result.error().code()));
}

}  // namespace bucketline::testing
