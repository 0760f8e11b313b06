#include "bucketline/dataset/pipe_state.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/pipe_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::JobFolder;

constexpr const char* kFile = "pipe_state/.train-pipe_mode-state";

TEST(PipeState, CountsFifosFromZero) {
  const JobFolder job;
  const PipeState state(job.Train());
  EXPECT_EQ(state.Next(), 0u);
  state.Begin(0);
  EXPECT_EQ(state.Next(), 1u);
  EXPECT_EQ(PipeState(job.Train()).Next(), 1u);  // another process
}

TEST(PipeState, NeverGoesBack) {
  const JobFolder job;
  const PipeState state(job.Train());
  state.Begin(4);
  state.Begin(2);
  EXPECT_EQ(state.Next(), 5u);
}

TEST(PipeState, IsThatOfTheReaderForTensorFlow) {
  JobFolder job;
  job.folder().Put(kFile, "3");
  const PipeState state(job.Train());
  EXPECT_EQ(state.Next(), 3u);
  state.Begin(3);
  std::ifstream file(job.folder().Path(kFile));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "4");
}

TEST(PipeState, SaysWhatItCannotWrite) {
  JobFolder job;
  ChannelPlace place = job.Train();
  job.folder().Put("file", "");
  place.state_folder = job.folder().Path("file/state");
  const Error error = ErrorOf([&] { PipeState(place).Begin(0); });
  EXPECT_THAT(error.what(), HasSubstr("SAGEMAKER_BASE_DIR"));
}

TEST(PipeTurn, IsOneReadersAtATime) {
  const JobFolder job;
  std::optional<PipeTurn> first(job.Train());
  const Error error = ErrorOf([&] { const PipeTurn second(job.Train()); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.uri(), "channel:train");
  EXPECT_THAT(error.what(), HasSubstr("a FIFO has one reader"));
  first.reset();
  EXPECT_NO_THROW(PipeTurn(job.Train()));
}

TEST(PipeTurn, EndsAlsoWhereAForkedChildLivesOn) {
  const JobFolder job;
  std::optional<PipeTurn> turn(job.Train());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    char none = 0;
    close(ends[1]);
    _exit(read(ends[0], &none, 1) == 0 ? 0 : 1);  // until the parent closes its end
  }
  turn.reset();
  EXPECT_NO_THROW(PipeTurn(job.Train()));
  close(ends[1]);
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(ends[0]);
}

}  // namespace
}  // namespace bucketline
