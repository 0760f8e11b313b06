// Which records of a dataset can be files below a folder, and why the rest cannot.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Where paths begin in the keys of a dataset whose prefix is a folder, with or without its last "/". nullopt where the
// prefix ends within names: of "s3://b/train" that has "train-01/a". Precondition: one source, not empty.
std::optional<size_t> StartOfFolder(const Dataset& dataset);

// The same for a mount, where "/" is the delimiter. An object by its whole key is below the folder that it is in. Throws
// kInvalidArgument, naming a key, where the prefix ends within names.
size_t MountPathStart(const Dataset& dataset);

// Called for each key that is left out, with the reason; in the order of the keys.
using LeftOut = std::function<void(std::string_view key, std::string_view reason)>;

// The records whose keys from `path_start` on are paths (channel/local_paths.h). Of a key that is another one's folder
// ("w" beside "w/p") the file stays.
Dataset OnlyPaths(const Dataset& dataset, size_t path_start, const LeftOut& left_out);

}  // namespace bucketline
