// The same work on a few threads, for work that waits for a store.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace bucketline {

// Calls `work` on `count` threads of that name, and returns when all calls have. On fewer where the system refuses more, so
// `work` takes what is left to do until nothing is; throws kResourceExhausted when it refuses the first. `work` must not throw.
void RunOnThreads(size_t count, const std::string& name, const std::function<void()>& work);

// Calls `task(i)` once for each i below `count`, on `width` threads at most, and returns when all calls have.
// When one throws no new ones begin, and of the errors that of the lowest number is thrown.
void RunParallel(size_t count, size_t width, const std::function<void(size_t number)>& task);

}  // namespace bucketline
