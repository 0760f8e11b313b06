// Takes the place of c10d_group.cc where LibTorch has no Gloo, or one of another form.
#include "bucketline/base/error.h"
#include "bucketline/train/nn/rank_group.h"

namespace bucketline::nn {

std::unique_ptr<RankGroup> JoinRanks(const Ranks&, Duration, const VariableLookup&) {
  throw Error(
      ErrorCode::kUnsupported,
      "this build trains in one process only, because its LibTorch has no Gloo; build with the pip package "
      "torch, as ./run build does");
}

}  // namespace bucketline::nn
