#include "bucketline/exec/heap_policy.h"

#include <climits>
#include <cstdlib>
#include <initializer_list>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bucketline {

void KeepFreedMemory() {
#ifdef __GLIBC__
  constexpr int kLargestThreshold = 32 << 20;  // that glibc takes; larger blocks are mapped for themselves
  for (const char* chosen : {"GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}) {
    if (std::getenv(chosen) != nullptr) return;
  }
  mallopt(M_MMAP_THRESHOLD, kLargestThreshold);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

void ReturnFreedMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace bucketline
