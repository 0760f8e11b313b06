// What malloc does with memory that is freed, for programs whose heap is filled and emptied again and again.
#pragma once

namespace bucketline {

// From now on freed memory stays with the process, up to its peak, instead of going back to the system: a training step
// frees all its activations, and fetching their pages anew cost it a fifth of its CPU. Of the whole process, so for
// programs to call and not for libraries; leaves alone what the user has set (GLIBC_TUNABLES, MALLOC_...). Without effect
// where malloc is not glibc's.
void KeepFreedMemory();

// Gives back to the system what was freed so far, after work that took much memory and will not come again. Without effect
// where malloc is not glibc's.
void ReturnFreedMemory();

}  // namespace bucketline
