// OpenMP's waiting policy, which LibTorch's thread pool reads when it is loaded.
#pragma once

namespace bucketline::cli {

// Threads that spin while they wait for each other take the CPU from the threads that decode, and from each other where
// the machine is busy: on an overloaded one training was 20 times slower. Unless the user has chosen a policy, starts
// this program anew, same process and arguments, with OMP_WAIT_POLICY=passive. Returns where that is settled or cannot
// be done. Call it before any thread is started.
void EnsurePassiveOpenMp(char** argv);

}  // namespace bucketline::cli
