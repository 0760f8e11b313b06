// The rules of Get that every store shares: which state, which range, which memory.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/store/object_store.h"

namespace bucketline {

// How many bytes the request asks of this object. Throws kObjectChanged when the pin names another state,
// kUnsupported when it names a version and the object has none, and kInvalidArgument when the range reaches
// beyond the end. An empty range inside [0, size] is fine.
uint64_t LengthToRead(const GetRequest& request, const ObjectInfo& object);

// The memory that the sink gives for `length` bytes. Throws the sink's error, or kInternal when it gives
// memory of another length.
std::span<uint8_t> BeginRead(GetSink& sink, uint64_t length, const ObjectInfo& object);

}  // namespace bucketline
