// RunParallel: the same task for many numbers, on a few threads, for work that waits for a store.
#pragma once

#include <cstddef>
#include <functional>

namespace bucketline {

// Calls `task(i)` once for each i below `count`, on `width` threads at most, and returns when all calls have.
// When one throws no new ones begin, and of the errors that of the lowest number is thrown.
void RunParallel(size_t count, size_t width, const std::function<void(size_t number)>& task);

}  // namespace bucketline
