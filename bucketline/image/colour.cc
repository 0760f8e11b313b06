#include "bucketline/image/colour.h"

namespace bucketline {
namespace {

// a * b / 255, rounded, for bytes.
constexpr int MulDiv255(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

}  // namespace

void RgbToGrey(const uint8_t* rgb, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i, rgb += 3) {
    out[i] = static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
  }
}

void TakeFirstOfThree(const uint8_t* rgb, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i, rgb += 3) out[i] = rgb[0];
}

void CmykToRgb(const uint8_t* cmyk, int count, CmykRule rule, uint8_t* out) {
  for (int i = 0; i < count; ++i, cmyk += 4, out += 3) {
    const int black = cmyk[3];
    for (int c = 0; c < 3; ++c) {
      const int ink = cmyk[c];
      int level = 0;
      switch (rule) {
        case CmykRule::kPillow:
          level = black - MulDiv255(255 - ink, black);
          break;
        case CmykRule::kTensorflow:
          level = (255 - black) * (255 - ink) / 255;
          break;
        case CmykRule::kTensorflowInverted:
          level = black * ink / 255;
          break;
      }
      out[c] = static_cast<uint8_t>(level < 0 ? 0 : level);
    }
  }
}

}  // namespace bucketline
