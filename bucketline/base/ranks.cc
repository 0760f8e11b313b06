#include "bucketline/base/ranks.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

struct Launcher {
  const char* rank;
  const char* world_size;
  const char* local_rank;
  const char* local_size;
};

// Processes per node under SLURM may read "2(x3),1", so no number of processes within the host is taken from it
// that is not plain.
constexpr Launcher kLaunchers[] = {
    {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
    {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
};

uint64_t Number(const char* variable, const std::string& text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (text.empty() || rest != end || status != std::errc()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the environment variable {} should be a number, not \"{}\"; unset it, or give the "
                    "rank and the world size explicitly",
                    variable, text));
  }
  return number;
}

}  // namespace

uint64_t Ranks::ShareOf(uint64_t cpus) const {
  return std::max<uint64_t>(1, cpus / std::max<uint64_t>(1, local_size.value_or(1)));
}

VariableLookup ProcessEnvironment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::optional<Ranks> LauncherRanks(const VariableLookup& variables) {
  for (const Launcher& launcher : kLaunchers) {
    const std::optional<std::string> rank = variables(launcher.rank);
    const std::optional<std::string> world_size = variables(launcher.world_size);
    if (!rank || !world_size) continue;
    Ranks ranks{.rank = Number(launcher.rank, *rank), .world_size = Number(launcher.world_size, *world_size)};
    if (ranks.rank >= ranks.world_size) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("the environment says rank {}={} of {}={}, and ranks count from 0; unset both, "
                              "or give the rank and the world size explicitly",
                              launcher.rank, *rank, launcher.world_size, *world_size));
    }
    const std::optional<std::string> local_rank = variables(launcher.local_rank);
    const std::optional<std::string> local_size = variables(launcher.local_size);
    if (local_rank && local_size) {
      ranks.local_rank = Number(launcher.local_rank, *local_rank);
      ranks.local_size = Number(launcher.local_size, *local_size);
    }
    return ranks;
  }
  return std::nullopt;
}

}  // namespace bucketline
