// Memory in huge pages, for blocks that are filled and given back again and again.
#pragma once

#include <cstddef>
#include <memory>

namespace bucketline {

constexpr size_t kHugePage = size_t{2} << 20;

// `bytes` of memory of its own mapping, aligned to kHugePage and in huge pages where the system has them: the thousands of
// small ones of a large block cost more to fault in than the copy into it. nullptr when the system has no memory.
std::shared_ptr<void> MapHuge(size_t bytes);

}  // namespace bucketline
