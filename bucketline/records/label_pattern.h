// LabelPattern: the label that a regular expression finds in a key.
#pragma once

#include <cstddef>
#include <optional>
#include <regex>
#include <string>

namespace bucketline {

// As Labels::Pattern says. Immutable; sharable by threads.
class LabelPattern {
 public:
  // Throws kInvalidArgument naming the expression.
  explicit LabelPattern(const std::string& expression);

  // nullopt: the key does not match, or the group takes no part in the match or finds nothing.
  std::optional<std::string> LabelOf(const std::string& key) const;

 private:
  std::regex regex_;
  size_t group_ = 1;
};

}  // namespace bucketline
