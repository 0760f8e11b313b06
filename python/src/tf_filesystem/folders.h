// What a file system knows of objects: which paths are there, and what lies in a folder. A folder exists as long as a
// key lies below it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/tf_filesystem/engine.h"

#include "bucketline/base/error.h"

namespace bucketline::tf {

// Whether a key lies below; a bucket that can be listed is a folder too. Throws kNotFound for a missing bucket.
bool IsFolder(const Place& place);

struct Found {
  bool is_folder = false;
  ObjectInfo object;  // when it is none
};

// The object of this key, else the folder. Throws kNotFound.
Found Find(const Place& place);

struct Child {
  std::string name;  // without a "/"
  bool is_folder;
};

// What lies directly below `prefix`, which is "" or ends with "/", and begins with `start`; each name once, in order,
// folders first where both are there.
std::vector<Child> ListChildren(const Place& place, const std::string& prefix, const std::string& start = "");

// Deletes the object. Throws kNotFound when there is none.
void DeleteOne(const Place& place);

struct Deletion {
  uint64_t failed = 0;
  std::optional<Error> first_failure;
};

// Deletes all of these, many at a time.
Deletion DeleteAll(const Place& place, const std::vector<ObjectInfo>& objects);

}  // namespace bucketline::tf
