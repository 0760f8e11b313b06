// Everything that users of the C++ engine need. LibTorch views are in bucketline/torch.h, training in
// bucketline/train/trainer.h.
#pragma once

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/image/spec.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/stream_loader.h"
#include "bucketline/pack/pack.h"
#include "bucketline/records/labels.h"
#include "bucketline/runtime/runtime.h"
