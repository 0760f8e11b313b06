// bucketline-train: the same command with LibTorch, which lies beside bucketline and does its `train`.
#pragma once

namespace bucketline::cli {

// Goes on as bucketline-train, same process and arguments: loading LibTorch takes longer than most commands run. It starts
// with OMP_WAIT_POLICY=passive unless the user has chosen a policy: OpenMP's threads that spin while they wait for each
// other take the CPU from the threads that decode, and from each other where the machine is busy; on an overloaded one
// training was 20 times slower. Returns in bucketline-train, once that is settled, and where there is none. Call it
// before any thread is started.
void ContinueAsTrainer(char** argv);

}  // namespace bucketline::cli
