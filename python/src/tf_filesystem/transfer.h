// Copies and renames, by reading and writing.
#pragma once

#include "src/tf_filesystem/engine.h"

namespace bucketline::tf {

// One state of the object, a piece at a time. The target appears whole or not at all, in the place of what was there.
void CopyOne(const Place& source, const Place& target);

// An object, or all that lies below a folder: copied, and then deleted at the source. What fails between leaves the
// source whole. Throws kNotFound, and kInvalidArgument for a folder that would come to lie in itself.
void Rename(const Place& source, const Place& target);

}  // namespace bucketline::tf
