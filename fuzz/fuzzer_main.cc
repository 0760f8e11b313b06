// libFuzzer's entry; BUCKETLINE_HARNESS names the function.
#include "fuzz/harnesses.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bucketline::fuzz::BUCKETLINE_HARNESS({data, size});
  return 0;
}
