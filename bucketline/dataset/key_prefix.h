// The folder that a manifest's keys lie below.
#pragma once

#include <string>

#include "bucketline/records/manifest.h"

namespace bucketline {

// The key part of the manifest's source, by the prefix that was listed: "train/" or, where all keys continue
// "train" with a "/", that too. A prefix that ends within a name gives the folder before it: "x/tr" is "x/".
std::string FolderPrefix(const Manifest& manifest);

}  // namespace bucketline
