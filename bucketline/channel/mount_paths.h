// Which records of a dataset can be files below a folder, and why the rest cannot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Called for each record that is left out, in no order.
using LeftOut = std::function<void(std::string_view key, std::string_view reason)>;

// The length of what a dataset's keys lose to become paths: the prefix of its URI through its last "/", so that
// "s3://b/data/train/a.jpg" below "s3://b/data/train/" is "a.jpg". An object's whole key is its own prefix.
// Throws kInvalidArgument where the prefix is only the beginning of a folder's name (naming a key): "/" is the
// delimiter. Precondition: one source, not empty.
size_t MountPrefixLength(const Dataset& dataset);

// The records whose keys, without the first `prefix_length` bytes, are paths that do not clash: segments of 1 to 255
// bytes, none "." or "..", without NUL; and no key that is also the folder of another one ("w" beside "w/p").
Dataset OnlyPaths(const Dataset& dataset, size_t prefix_length, const LeftOut& left_out);

}  // namespace bucketline
