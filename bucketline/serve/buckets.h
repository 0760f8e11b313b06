// BucketProvider: which stores an endpoint shows as buckets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

struct BucketInfo {
  std::string name;
  WallTime created{};  // of a folder: its last change
};

enum class BucketRemoval { kRemoved, kNotEmpty, kMissing };

// Thread-safe. Calls may touch the file system; they throw Error when it fails. Stores live as long as
// somebody holds them and are destroyed by the provider, never on a store's own thread.
class BucketProvider {
 public:
  virtual ~BucketProvider() = default;

  virtual std::vector<BucketInfo> List() = 0;                              // bytewise ascending
  virtual std::shared_ptr<ObjectStore> Find(const std::string& name) = 0;  // nullptr when there is none
  virtual bool Create(const std::string& name) = 0;                        // false when it exists
  virtual BucketRemoval Remove(const std::string& name) = 0;

  // Where the parts of unfinished multipart uploads wait; shows in no bucket.
  virtual std::shared_ptr<ObjectStore> Staging() = 0;
};

// S3's rule for new buckets: 3 to 63 of a-z 0-9 . -, first and last a letter or digit, no "..", not an
// address.
bool IsValidNewBucketName(std::string_view name);

// Every first-level folder of `root` whose name is made of A-Z a-z 0-9 . _ - and does not start with "." is a
// bucket; links are not. Throws kNotFound when `root` is not a folder. Unfinished uploads wait in
// root/.bucketline-serve, which is made, locked against other endpoints and emptied when the first one
// begins, and removed at the end.
std::unique_ptr<BucketProvider> MakeFolderBuckets(std::string root);

// Buckets in RAM, gone with the provider.
std::unique_ptr<BucketProvider> MakeMemoryBuckets();

}  // namespace bucketline
