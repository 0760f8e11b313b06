// KeyFilter: which listed objects are records, and what to say when none is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/store/object_store.h"

namespace bucketline {

// By the rules of DatasetOptions::extensions and folder_markers. Not thread-safe.
class KeyFilter {
 public:
  KeyFilter(const std::vector<std::string>& extensions, bool folder_markers);

  bool Accept(const ObjectInfo& object);
  uint64_t accepted() const { return accepted_; }

  // Throws when nothing was accepted: kNotFound when nothing was there, else kInvalidArgument naming some of
  // what was.
  void CheckSomethingCame(const std::string& source) const;

 private:
  void Refuse(const ObjectInfo& object);

  std::vector<std::string> extensions_;  // lower case
  const bool folder_markers_;
  uint64_t accepted_ = 0;
  uint64_t refused_ = 0;
  std::vector<std::string> examples_;  // of refused keys
};

}  // namespace bucketline
