// StreamLabels: the labels of a stream's samples, one after the other, from their text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/manifest.h"

namespace bucketline {

struct StreamLabel {
  int64_t integer = 0;             // of kClass and kInteger
  std::vector<float> floats = {};  // of kFloat and kVector
};

// What a label's text means, by the rules of Labels where a stream can keep them: with classes their names; else whole
// numbers are kInteger, others kFloat, JSON lists of numbers kVector. The first label decides for all. Not thread-safe.
class StreamLabels {
 public:
  // `classes`: the names, in the order of their numbers; empty: labels are numbers. `one_hot`: names become rows of 0
  // and 1. Throws kInvalidArgument for a name that is there twice, and one_hot without classes.
  StreamLabels(std::vector<std::string> classes, bool one_hot);

  // Throws kInvalidArgument naming what it is: no class, no number, of another kind or width than those before.
  StreamLabel Parse(std::string_view text);

  LabelKind kind() const { return kind_; }  // kNone before the first, but for classes
  size_t width() const { return width_; }

 private:
  StreamLabel ParseClass(std::string_view text) const;
  void Settle(LabelKind kind, size_t width, std::string_view text);

  const std::vector<std::string> classes_;
  const bool one_hot_;
  LabelKind kind_ = LabelKind::kNone;
  size_t width_ = 1;
};

}  // namespace bucketline
