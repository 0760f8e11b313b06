// CPU pinning: which CPUs this process may use, and one of them for one thread.
#pragma once

#include <thread>
#include <vector>

namespace bucketline {

// The CPUs of the process's affinity mask (its main thread's), in order; at least one. Throws kUnsupported when the
// system does not tell.
std::vector<int> CpusOfProcess();

// From now on `thread` runs on `cpu` alone. Throws kUnsupported when the system refuses.
void PinThread(std::thread& thread, int cpu);

}  // namespace bucketline
