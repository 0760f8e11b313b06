#include "tests/contract/store_contract.h"

#include <atomic>
#include <thread>

namespace bucketline::testing {

void StoreContract::Fill(const std::vector<std::string>& keys) {
  if (live_.fast_put) {
    for (const std::string& key : keys) live_.fast_put(key, key);
    return;
  }
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> writers;
  for (int i = 0; i < fixture().writer_threads; ++i) {
    writers.emplace_back([&] {
      for (size_t at = next++; at < keys.size(); at = next++) {
        const Result<ObjectInfo> put = Catch([&] { return PutBytes(store(), keys[at], keys[at]); });
        if (!put.ok()) ADD_FAILURE() << "put of " << keys[at] << ": " << put.error().what();
      }
    });
  }
}

Result<ObjectInfo> StoreContract::Get(GetRequest request, std::shared_ptr<GetSink> sink) {
  Completion<ObjectInfo> completion;
  store().Get(std::move(request), std::move(sink), completion.Done());
  return completion.Wait(fixture().deadline);
}

Result<ObjectInfo> StoreContract::Head(std::string key) {
  Completion<ObjectInfo> completion;
  store().Head(std::move(key), completion.Done());
  return completion.Wait(fixture().deadline);
}

Result<void> StoreContract::Delete(std::string key) {
  Completion<void> completion;
  store().Delete(std::move(key), completion.Done());
  return completion.Wait(fixture().deadline);
}

Result<ListPage> StoreContract::List(ListRequest request) {
  Completion<ListPage> completion;
  store().List(std::move(request), completion.Done());
  return completion.Wait(fixture().deadline);
}

std::vector<std::string> StoreContract::AllKeys() { return KeysOf(ListAll(store(), "")); }

std::vector<std::string> KeysOf(const std::vector<ObjectInfo>& objects) {
  std::vector<std::string> keys;
  for (const ObjectInfo& object : objects) keys.push_back(object.key);
  return keys;
}

ErrorCode CodeThrownBy(const std::function<void()>& call) {
  const Result<void> result = Catch(call);
  if (!result.ok()) return result.error().code();
  ADD_FAILURE() << "no Error was thrown";
  return ErrorCode::kInternal;
}

}  // namespace bucketline::testing
