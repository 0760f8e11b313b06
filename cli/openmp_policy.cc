#include "cli/openmp_policy.h"

#include <stdlib.h>
#include <unistd.h>

namespace bucketline::cli {

void EnsurePassiveOpenMp(char** argv) {
  for (const char* chosen : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
    if (getenv(chosen) != nullptr) return;
  }
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);
}

}  // namespace bucketline::cli
