#include "cli/trainer_program.h"

#include <filesystem>
#include <system_error>

#include <stdlib.h>
#include <unistd.h>

namespace bucketline::cli {
namespace {

constexpr const char* kTrainer = "bucketline-train";

bool PolicyIsChosen() {
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
    if (getenv(name) != nullptr) return true;
  }
  return false;
}

}  // namespace

void ContinueAsTrainer(char** argv) {
  std::error_code failure;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const bool is_trainer = self.filename() == kTrainer;
  if (is_trainer && PolicyIsChosen()) return;
  if (!PolicyIsChosen()) setenv("OMP_WAIT_POLICY", "passive", 1);
  execv((self.parent_path() / kTrainer).c_str(), argv);
}

}  // namespace bucketline::cli
