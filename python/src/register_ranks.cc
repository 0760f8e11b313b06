// Which process of a job this is, as its launcher says: the same code as the trainer's.
#include <optional>
#include <utility>

#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include "bucketline/base/ranks.h"

namespace nb = nanobind;

namespace bucketline::python {
namespace {

using RankOf = std::pair<uint64_t, uint64_t>;  // and of how many

std::optional<RankOf> LauncherRank() {
  const std::optional<Ranks> ranks = LauncherRanks(ProcessEnvironment());
  return ranks ? std::optional(RankOf(ranks->rank, ranks->world_size)) : std::nullopt;
}

std::optional<RankOf> LauncherRankWithinHost() {
  const std::optional<Ranks> ranks = LauncherRanks(ProcessEnvironment());
  if (!ranks || !ranks->local_rank) return std::nullopt;
  return RankOf(*ranks->local_rank, *ranks->local_size);
}

}  // namespace

void RegisterRanks(nb::module_& module) {
  module.def("launcher_rank", &LauncherRank, "Rank and world size, None without a launcher.");
  module.def("launcher_rank_within_host", &LauncherRankWithinHost,
             "Rank among the processes of this host and how many they are, None where no launcher tells.");
}

}  // namespace bucketline::python
