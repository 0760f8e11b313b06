// PackPlace: where a pack is written to, and what is there already.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "bucketline/dataset/dataset.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

inline constexpr std::string_view kPackPlanName = "pack.json";
inline constexpr std::string_view kPackIndexName = "index.manifest";
inline constexpr std::string_view kMdsIndexName = "index.json";

class PackPlace {
 public:
  // Throws kInvalidArgument when the place lies in the dataset, or the dataset in it.
  PackPlace(const Dataset& dataset, std::string_view out, const std::optional<S3Options>& s3);

  const std::shared_ptr<ObjectStore>& store() const { return store_; }
  const std::string& prefix() const { return prefix_; }  // of keys; "" or ending in "/"
  const std::string& uri() const { return uri_; }

  // Writes `plan` where nothing is, and lists what is there where the same plan is. Throws kAlreadyExists when something
  // else is there.
  void Claim(const std::string& plan, std::stop_token stop);

  // What was there under this name below the place; nullptr: nothing.
  const ObjectInfo* Find(std::string_view name) const;

 private:
  void CheckPlan(const std::string& plan, const std::stop_token& stop) const;

  std::string uri_;
  std::shared_ptr<ObjectStore> store_;
  std::string prefix_;
  std::map<std::string, ObjectInfo, std::less<>> there_;  // by name
};

}  // namespace bucketline
