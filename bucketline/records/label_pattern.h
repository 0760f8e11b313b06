// LabelPattern: the label that a regular expression finds in a key.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace re2 {
class RE2;
}

namespace bucketline {

// As Labels::Pattern says. Immutable; sharable by threads. Matching takes time in proportion to the key, whatever the
// expression: RE2 does not backtrack.
class LabelPattern {
 public:
  // Throws kInvalidArgument naming the expression.
  explicit LabelPattern(const std::string& expression);
  ~LabelPattern();

  // nullopt: the key does not match, or the group takes no part in the match or finds nothing.
  std::optional<std::string> LabelOf(const std::string& key) const;

 private:
  std::unique_ptr<const re2::RE2> regex_;
  int group_ = 1;
};

}  // namespace bucketline
