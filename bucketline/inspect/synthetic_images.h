// Labelled JPEGs made from nothing: for the demo, tests and first steps without data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bucketline {

// The classes: patterns that differ in shape alone. Colours, contrast, scale, angle, place and noise are
// drawn alike for all, so that neither the mean nor the colours of an image tell its class.
const std::vector<std::string>& SyntheticClasses();  // {"rings", "stripes"}

struct SyntheticImage {
  std::string key;  // "rings/00000.jpg"
  std::vector<uint8_t> jpeg;
};

// Image number `index` of the set with `seed`: a pure function. Classes take turns. `size` is height and
// width in pixels, 16..4096.
SyntheticImage MakeSyntheticImage(uint64_t index, uint64_t seed, int size);

}  // namespace bucketline
