// The options of images that `train` and `bench` share.
#pragma once

#include <CLI/CLI.hpp>

#include "bucketline/image/spec.h"

namespace bucketline::cli {

// --crop, and --flip of training images.
void AddCropAndFlip(CLI::App& app, Crop& crop, double& flip);

// --resize, --antialias, --parity, --short, --area, --ratio, --box, --jitter, --orient, --dct-scaling,
// --truncated, --max-pixels, --max-side and --max-memory.
void AddImageOptions(CLI::App& app, ImageSpec& spec);

// --dtype.
void AddDtype(CLI::App& app, PixelType& type);

}  // namespace bucketline::cli
