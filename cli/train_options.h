// The options of `train` that become TrainOptions.
#pragma once

#include <CLI/CLI.hpp>

#include "bucketline/train/options.h"

namespace bucketline::cli {

void AddTrainOptions(CLI::App& app, TrainOptions& train);

// Takes the rank from the launcher's variables where no option gives it. Throws CLI::ValidationError: options that
// TrainOptions refuses, or that the chosen schedule does not have.
void CheckTrainOptions(const CLI::App& app, TrainOptions& train);

}  // namespace bucketline::cli
