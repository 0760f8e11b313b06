// Explain: what a loader's figures say about where the time goes, and what would help.
#pragma once

#include <string>

#include "bucketline/loader/loader.h"

namespace bucketline {

enum class Bottleneck {
  kNone,       // nothing was asked for yet, or too little to judge
  kConsumer,   // batches wait for whoever takes them: the loader is fast enough
  kDecode,     // the decode threads are busy all the time, most of it decoding
  kTransform,  // the same, most of it in the user's transform
  kRequests,   // as many requests as allowed are under way all the time
  kCache,  // the cache's disk: most requests under way are its, or the decode threads are reading pixels from it
  kWriter,  // a stream's writer is waited for
  kMemory,  // neither: the budget lets too few records be under way
};

struct Verdict {
  Bottleneck bottleneck = Bottleneck::kNone;
  double wait_share = 0;       // of the span: the consumer inside Next
  double decode_share = 0;     // of the span, of all decode threads
  double transform_share = 0;  // beside it
  double pixel_share = 0;      // ... and reading, and keeping, pixels
  double requests = 0;         // under way on average
  std::string text;            // one line: the bottleneck, its figures, the remedy
};

// A pure function of the figures.
Verdict Explain(const LoaderStats& stats);

// "consumer", "decode", ...
std::string_view Name(Bottleneck bottleneck);

}  // namespace bucketline
