// A Batch as LibTorch tensors.
#pragma once

#include "bucketline/torch/tensors.h"
