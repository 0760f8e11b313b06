// MemoryStore: objects in RAM; the reference that other stores are compared with.
#pragma once

#include <memory>
#include <string>

#include "bucketline/store/object_store.h"

namespace bucketline {

// `name` is only for URIs: mem://name/key. ETags are quoted MD5s, as S3 gives for single PUTs.
std::unique_ptr<ObjectStore> MakeMemoryStore(std::string name);

}  // namespace bucketline
