#include "bucketline/base/ranks.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

std::optional<Ranks> Of(const Variables& variables) {
  return LauncherRanks([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string Refusal(const Variables& variables) {
  try {
    Of(variables);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  ADD_FAILURE() << "it was taken";
  return "";
}

TEST(LauncherRanks, EachLauncherIsUnderstood) {
  const Ranks expected{.rank = 3, .world_size = 8, .local_rank = 1, .local_size = 2};
  EXPECT_EQ(Of({{"RANK", "3"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "2"}}),
            expected);
  EXPECT_EQ(Of({{"SLURM_PROCID", "3"},
                {"SLURM_NTASKS", "8"},
                {"SLURM_LOCALID", "1"},
                {"SLURM_NTASKS_PER_NODE", "2"}}),
            expected);
  EXPECT_EQ(Of({{"OMPI_COMM_WORLD_RANK", "3"},
                {"OMPI_COMM_WORLD_SIZE", "8"},
                {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}),
            expected);
  EXPECT_EQ(Of({{"PMI_RANK", "3"}, {"PMI_SIZE", "8"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}}),
            expected);
}

// srun starts torchrun: the inner launcher's word counts.
TEST(LauncherRanks, TorchrunComesBeforeTheOthers) {
  EXPECT_EQ(Of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}, {"RANK", "1"}, {"WORLD_SIZE", "2"}}),
            (Ranks{.rank = 1, .world_size = 2}));
}

TEST(LauncherRanks, WithoutALauncherThereIsNone) {
  EXPECT_EQ(Of({}), std::nullopt);
  EXPECT_EQ(Of({{"RANK", "3"}}), std::nullopt);
  EXPECT_EQ(Of({{"WORLD_SIZE", "3"}}), std::nullopt);
  EXPECT_EQ(Of({{"RANK", "3"}, {"SLURM_NTASKS", "4"}}), std::nullopt);
}

TEST(LauncherRanks, TheHostsShareIsLeftOutWhenHalfOfItIsMissing) {
  EXPECT_EQ(Of({{"RANK", "3"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}}),
            (Ranks{.rank = 3, .world_size = 8}));
}

TEST(LauncherRanks, NonsenseNamesTheVariable) {
  EXPECT_THAT(Refusal({{"RANK", "two"}, {"WORLD_SIZE", "3"}}),
              HasSubstr("RANK should be a number, not \"two\""));
  EXPECT_THAT(Refusal({{"PMI_RANK", "1"}, {"PMI_SIZE", ""}}), HasSubstr("PMI_SIZE"));
  EXPECT_THAT(Refusal({{"RANK", "-1"}, {"WORLD_SIZE", "3"}}), HasSubstr("RANK"));
  EXPECT_THAT(Refusal({{"RANK", "1x"}, {"WORLD_SIZE", "3"}}), HasSubstr("RANK"));
  EXPECT_THAT(Refusal({{"RANK", "3"}, {"WORLD_SIZE", "3"}}), HasSubstr("rank RANK=3 of WORLD_SIZE=3"));
}

TEST(Ranks, ProcessesOfAHostShareItsCpus) {
  EXPECT_EQ(Ranks().ShareOf(8), 8u);
  EXPECT_EQ((Ranks{.local_rank = 0, .local_size = 2}).ShareOf(8), 4u);
  EXPECT_EQ((Ranks{.local_rank = 0, .local_size = 3}).ShareOf(8), 2u);
  EXPECT_EQ((Ranks{.local_rank = 0, .local_size = 16}).ShareOf(8), 1u);
}

}  // namespace
}  // namespace bucketline
