// Place: where one object is, or many whose keys begin alike: the store of a URI, and the key there.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "src/conversion.h"
#include "src/interruptible.h"
#include "src/runtime_handle.h"

#include "bucketline/base/error.h"
#include "bucketline/store/object_store.h"

namespace bucketline::python {

struct Place {
  RuntimeHandle handle;
  std::shared_ptr<ObjectStore> store;
  std::string key;

  Place(const RuntimeHandle& runtime, const nanobind::str& text, const S3Options& s3) : handle(runtime) {
    const Uri uri = Uri::Parse(Utf8(text));
    store = runtime.runtime->StoreFor(uri, s3);
    key = Runtime::KeyOf(uri);
  }

  // `work(stop)` on a thread of its own while this one can be interrupted; its errors name the object. Throws kInternal
  // after a fork.
  template <typename Work>
  auto Wait(Work work) const {
    return Interruptible(
        [&](const std::stop_token& stop) {
          try {
            return work(stop);
          } catch (const Error& error) {
            throw error.WithUri(store->UriOf(key));
          }
        },
        handle.LookUp());
  }
};

}  // namespace bucketline::python
