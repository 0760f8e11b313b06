#include "bucketline/exec/huge_memory.h"

#include <cstdint>

#include <sys/mman.h>

namespace bucketline {
namespace {

size_t RoundUp(size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }

}  // namespace

std::shared_ptr<void> MapHuge(size_t bytes) {
  const size_t mapped = RoundUp(bytes) + kHugePage;
  void* base = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  const auto address = reinterpret_cast<uintptr_t>(base);
  uint8_t* aligned = static_cast<uint8_t*>(base) + (RoundUp(address) - address);
  // Whole huge pages only: the last, partly used one would hold memory that no budget knows. A refusal costs speed only.
  (void)madvise(aligned, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return {aligned, [base, mapped](void*) { munmap(base, mapped); }};
}

}  // namespace bucketline
