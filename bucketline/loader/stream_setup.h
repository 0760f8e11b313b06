// What a StreamLoader checks and works out before it starts.
#pragma once

#include <span>

#include "bucketline/dataset/stream.h"
#include "bucketline/loader/field.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/memory_layout.h"

namespace bucketline {

// The options with `threads` and `last` set. Throws kInvalidArgument naming the option that is out of range, or that a
// stream cannot have, and what can be done instead.
LoaderOptions WithStreamDefaults(const Stream& stream, LoaderOptions options);

// As if the largest record had a megabyte: what is larger is met when it comes. Throws kResourceExhausted naming the
// minimum when `memory` is below it.
MemoryNeeds StreamNeeds(const Stream& stream, std::span<const Field> fields, const LoaderOptions& options);

}  // namespace bucketline
