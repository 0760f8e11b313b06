// How a record's read is bound to what was listed.
#pragma once

#include <cstdint>
#include <string>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/records/manifest.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// The Get of a record's part: its range, pinned to the listed size and to the listed ETag or version. A
// whole object is asked for without a range, which also reads empty ones.
GetRequest PinnedGet(const RecordPart& part, PinMode pin);

// The same of `length` of its bytes from `offset` on, counted from where the part begins.
GetRequest PinnedGet(const RecordPart& part, PinMode pin, uint64_t offset, uint64_t length);

// Whether the part is its whole object.
bool IsWhole(const RecordPart& part);

// The object's URI, of a range with what an HTTP Range header would say: "s3://b/a.tar#bytes=512-1023". An empty range
// says where it would begin: "#bytes=512-511".
std::string UriOfPart(const ObjectStore& store, const RecordPart& part);

// The same error, saying what to do when the pin is what the store could not or would not honour.
Error ExplainPin(const Error& error, PinMode pin);

}  // namespace bucketline
