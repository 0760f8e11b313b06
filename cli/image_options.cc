#include "cli/image_options.h"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "cli/common_options.h"
#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline::cli {
namespace {

constexpr const char* kGroup = "Images";

// "0.08,1" as exactly so many numbers.
template <typename T, size_t N>
std::array<T, N> ParseNumbers(const std::string& text) {
  std::array<T, N> numbers{};
  std::string_view rest = text;
  for (size_t i = 0; i < N; ++i) {
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), numbers[i]);
    rest = rest.substr(static_cast<size_t>(end - rest.data()));
    const bool separated = i + 1 < N ? rest.starts_with(',') : rest.empty();
    if (status != std::errc() || !separated) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("\"{}\" is not {} numbers with commas between them", text, N));
    }
    if (i + 1 < N) rest.remove_prefix(1);
  }
  return numbers;
}

template <typename T, typename Parse>
void AddList(CLI::App& app, const std::string& name, T& target, Parse parse, const std::string& help) {
  AddParsed<T>(app, name, target, parse, help)->group(kGroup);
}

}  // namespace

void AddCropAndFlip(CLI::App& app, Crop& crop, double& flip) {
  AddNamed<Crop>(app, "--crop", crop,
                 {{"none", Crop::kNone},
                  {"center", Crop::kCenter},
                  {"random_resized", Crop::kRandomResized},
                  {"pad", Crop::kPad},
                  {"box", Crop::kBox}},
                 "none (stretch) | center | random_resized | pad (fit inside) | box [none]")
      ->group(kGroup);
  app.add_option("--flip", flip, "probability of a left-right flip")
      ->check(CLI::Range(0.0, 1.0))
      ->group(kGroup);
}

void AddDtype(CLI::App& app, PixelType& type) {
  AddNamed<PixelType>(
      app, "--dtype", type,
      {{"uint8", PixelType::kUint8}, {"float16", PixelType::kFloat16}, {"float32", PixelType::kFloat32}},
      "of pixels: uint8 (not normalised) | float16 | float32 [float32]")
      ->group(kGroup);
}

void AddImageOptions(CLI::App& app, ImageSpec& spec) {
  AddNamed<Resize>(app, "--resize", spec.resize,
                   {{"bilinear", Resize::kBilinear},
                    {"bicubic", Resize::kBicubic},
                    {"lanczos", Resize::kLanczos},
                    {"area", Resize::kArea},
                    {"nearest", Resize::kNearest}},
                   "bilinear | bicubic | lanczos | area | nearest [bilinear]")
      ->group(kGroup);
  app.add_flag("--antialias,!--no-antialias", spec.antialias,
               "filter as widely as the image shrinks (the default)")
      ->group(kGroup);
  AddNamed<ResizeFamily>(app, "--parity", spec.family,
                         {{"pillow", ResizeFamily::kPillow}, {"tensorflow", ResizeFamily::kTensorflow}},
                         "whose pixels to give: pillow | tensorflow [pillow]")
      ->group(kGroup);
  app.add_option("--short", spec.short_side,
                 "for center: the short side before the cut [256/224 of the size]")
      ->group(kGroup);
  AddList(app, "--area", spec.area, ParseNumbers<double, 2>,
          "for random_resized: share of the area [0.08,1]");
  AddList(app, "--ratio", spec.ratio, ParseNumbers<double, 2>,
          "for random_resized: width / height [0.75,1.333]");
  AddList(
      app, "--box", spec.box,
      [](const std::string& text) {
        const auto box = ParseNumbers<int, 4>(text);
        return PixelBox{box[0], box[1], box[2], box[3]};
      },
      "for box: left,top,width,height in pixels");
  AddList(
      app, "--jitter", spec.jitter,
      [](const std::string& text) {
        const auto jitter = ParseNumbers<double, 3>(text);
        return Jitter{jitter[0], jitter[1], jitter[2]};
      },
      "brightness,contrast,saturation: each changed by up to so much [0,0,0]");
  app.add_flag("--orient", spec.orient, "obey the EXIF orientation")->group(kGroup);
  app.add_flag("--dct-scaling", spec.dct_scaling,
               "decode large JPEGs at a fraction of their size: faster, not exact")
      ->group(kGroup);
  AddNamed<Truncated>(app, "--truncated", spec.truncated,
                      {{"raise", Truncated::kRaise}, {"keep", Truncated::kKeep}},
                      "an image whose data ends early: raise | keep what is there [raise]")
      ->group(kGroup);
  app.add_option("--max-pixels", spec.max_pixels, "a larger image (width x height) is bad")
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--max-side", spec.max_side, "a wider or higher image is bad")
      ->capture_default_str()
      ->group(kGroup);
  AddByteSize(app, "--max-memory", spec.max_memory, "an image that takes more to decode is bad [2GiB]")
      ->group(kGroup);
}

}  // namespace bucketline::cli
