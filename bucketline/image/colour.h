// Colour: conversions of one row of interleaved bytes.
#pragma once

#include <cstdint>

namespace bucketline {

// Luma of `count` RGB pixels, with Pillow's 16-bit weights for convert("L"). `out` may be `rgb`.
void RgbToGrey(const uint8_t* rgb, int count, uint8_t* out);

// Keeps every third byte. `out` may be `rgb`.
void TakeFirstOfThree(const uint8_t* rgb, int count, uint8_t* out);

enum class CmykRule {
  kPillow,              // always taken as inverted (Adobe), and Pillow's rounding
  kTensorflow,          // plain ink levels
  kTensorflowInverted,  // with an Adobe marker
};

// `count` CMYK pixels to RGB. `out` may be `cmyk`.
void CmykToRgb(const uint8_t* cmyk, int count, CmykRule rule, uint8_t* out);

}  // namespace bucketline
