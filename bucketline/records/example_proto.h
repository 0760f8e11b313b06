// Example: the protocol buffer message tf.train.Example, read in place.
// Source: tensorflow/core/example/{example,feature}.proto; the wire format is that of protobuf.dev/programming-guides/encoding.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace bucketline {

// One feature; the views are of the message that was read. A feature without a list has the first, empty.
struct ExampleFeature {
  std::string_view name;
  std::variant<std::vector<std::string_view>, std::vector<int64_t>, std::vector<float>> values;
};

// The features in the order of the message; a name that stands twice counts the last time, as maps do. Of a
// SequenceExample the context. Unknown fields are passed over. Throws kCorruptData for what does not parse.
std::vector<ExampleFeature> ReadExample(std::string_view message);

}  // namespace bucketline
