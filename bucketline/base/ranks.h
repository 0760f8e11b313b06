// LauncherRanks: which process of a job this one is, as its launcher's variables say.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace bucketline {

// One process's place in a job; by default alone.
struct Ranks {
  uint64_t rank = 0;  // below world_size
  uint64_t world_size = 1;
  // Among the processes of the same host, where the launcher tells.
  std::optional<uint64_t> local_rank = {};
  std::optional<uint64_t> local_size = {};

  // The share of this host's `cpus` that is this process's when all its processes use as many; at least 1.
  uint64_t ShareOf(uint64_t cpus) const;
  bool operator==(const Ranks&) const = default;
};

// The value of a variable, nullopt when unset: of the process, or a test's own.
using VariableLookup = std::function<std::optional<std::string>(const char* name)>;
VariableLookup ProcessEnvironment();

// Of the first launcher whose variables are there: torchrun and Ray Train (RANK, WORLD_SIZE), SLURM (SLURM_PROCID,
// SLURM_NTASKS), Open MPI (OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE), MPICH and Intel MPI (PMI_RANK, PMI_SIZE);
// nullopt: started by hand. A variable without its partner counts as unset. Throws kInvalidArgument naming the
// variable that is no number, or the rank that is not below its world size.
std::optional<Ranks> LauncherRanks(const VariableLookup& variables);

}  // namespace bucketline
