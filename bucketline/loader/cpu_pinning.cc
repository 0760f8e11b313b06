#include "bucketline/loader/cpu_pinning.h"

#include <cerrno>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr int kMostCpus = 1 << 16;

[[noreturn]] void Refuse(const char* what, int code) {
  throw Error(ErrorCode::kUnsupported,
              fmt::format("pin_threads: {}: {}; leave it off", what, std::generic_category().message(code)));
}

// As many CPUs as a machine may have; cpu_set_t itself ends at 1024.
class CpuSet {
 public:
  explicit CpuSet(int count) : bytes_(CPU_ALLOC_SIZE(count)), set_(CPU_ALLOC(count), Free{}) {
    CPU_ZERO_S(bytes_, set_.get());
  }
  void Add(int cpu) { CPU_SET_S(static_cast<size_t>(cpu), bytes_, set_.get()); }
  bool Has(int cpu) const { return CPU_ISSET_S(static_cast<size_t>(cpu), bytes_, set_.get()) != 0; }
  cpu_set_t* get() { return set_.get(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(cpu_set_t* set) const { CPU_FREE(set); }
  };
  size_t bytes_;
  std::unique_ptr<cpu_set_t, Free> set_;
};

}  // namespace

std::vector<int> CpusOfProcess() {
  CpuSet set(kMostCpus);
  if (sched_getaffinity(getpid(), set.bytes(), set.get()) != 0) {
    Refuse("the system does not tell the process's CPUs", errno);
  }
  std::vector<int> cpus;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    if (set.Has(cpu)) cpus.push_back(cpu);
  }
  return cpus;
}

void PinThread(std::thread& thread, int cpu) {
  CpuSet set(kMostCpus);
  set.Add(cpu);
  const int code = pthread_setaffinity_np(thread.native_handle(), set.bytes(), set.get());
  if (code != 0) Refuse("the system does not let a thread be pinned", code);
}

}  // namespace bucketline
