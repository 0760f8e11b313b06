#include "bucketline/dataset/channel_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/pipe_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::JobFolder;
using testing::TempFolder;

constexpr const char* kChannels = R"({
  "train": {"TrainingInputMode": "Pipe", "S3DistributionType": "ShardedByS3Key", "RecordWrapperType": "RecordIO"},
  "plain": {"TrainingInputMode": "Pipe", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"},
  "val-1": {"TrainingInputMode": "FastFile", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}})";

TEST(ChannelName, IsWhatFollowsTheColon) {
  EXPECT_EQ(ChannelName("channel:train.v-1_2"), "train.v-1_2");
  EXPECT_EQ(ChannelName("s3://bucket/channel:train"), std::nullopt);
  EXPECT_EQ(ChannelName("/data/train"), std::nullopt);
}

TEST(ChannelName, OfOtherCharactersOrLengthsIsAnError) {
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(65, 'a')}) {
    const Error error = ErrorOf([&] { static_cast<void>(ChannelName("channel:" + name)); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(ChannelName("channel:" + std::string(64, 'a')), std::string(64, 'a'));
}

TEST(FindChannel, SaysHowAPipeComes) {
  JobFolder job(kChannels);
  job.folder().Put("input/config/resourceconfig.json", R"({"current_host": "a", "hosts": ["a", "b", "c"]})");
  const std::optional<ChannelPlace> train = FindChannel("train", job.Environment());
  ASSERT_TRUE(train);
  EXPECT_TRUE(train->is_pipe);
  EXPECT_TRUE(train->sharded);
  EXPECT_EQ(train->hosts, 3u);
  EXPECT_EQ(train->Fifo(7), job.Data("train_7"));
  EXPECT_EQ(train->state_folder, job.folder().Path("pipe_state"));
  EXPECT_FALSE(FindChannel("plain", job.Environment())->sharded);
}

TEST(FindChannel, IsAFolderInTheOtherModes) {
  JobFolder job(kChannels);
  const std::optional<ChannelPlace> place = FindChannel("val-1", job.Environment());
  EXPECT_FALSE(place->is_pipe);
  EXPECT_EQ(place->folder, job.Data("val-1"));
  EXPECT_EQ(place->hosts, 1u);
}

TEST(FindChannel, LiesWhereItsVariableSays) {
  JobFolder job(kChannels);
  const auto environment = job.Environment({{"SM_CHANNEL_VAL-1", "/elsewhere/"}});
  EXPECT_EQ(FindChannel("val-1", environment)->folder, "/elsewhere");
}

TEST(FindChannel, IsNothingOutsideAJob) {
  TempFolder nowhere;
  const auto environment = [&](const char* name) -> const char* {
    return std::string_view(name) == "SAGEMAKER_BASE_DIR" ? nowhere.path().c_str() : nullptr;
  };
  EXPECT_FALSE(FindChannel("train", environment));
  EXPECT_FALSE(FindChannelOf("/data/train", environment));
  const Error error = ErrorOf([&] { static_cast<void>(FolderOfChannel("channel:train", environment)); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("SM_CHANNEL_TRAIN"));
  EXPECT_THAT(error.what(), HasSubstr(nowhere.Path("input/config/inputdataconfig.json")));
}

TEST(FindChannel, NeedsNoJobWhereItsVariableIsSet) {
  TempFolder folder;
  const std::string data = folder.Path("data");
  const auto environment = [&](const char* name) -> const char* {
    if (std::string_view(name) == "SAGEMAKER_BASE_DIR") return folder.path().c_str();
    return std::string_view(name) == "SM_CHANNEL_TRAIN" ? data.c_str() : nullptr;
  };
  ASSERT_TRUE(FindChannel("train", environment));
  EXPECT_FALSE(FindChannel("train", environment)->is_pipe);
  ASSERT_EQ(mkfifo((data + "_0").c_str(), 0600), 0);
  EXPECT_TRUE(FindChannel("train", environment)->is_pipe);
  std::filesystem::create_directory(data);
  EXPECT_FALSE(FindChannel("train", environment)->is_pipe);
}

TEST(FindChannel, NamesTheOthersWhereAJobHasNoSuchChannel) {
  JobFolder job(kChannels);
  const Error error = ErrorOf([&] { static_cast<void>(FindChannel("test", job.Environment())); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("plain, train, val-1"));
}

TEST(FindChannel, RefusesAConfigurationThatIsNoObject) {
  JobFolder job("[1, 2");
  const Error error = ErrorOf([&] { static_cast<void>(FindChannel("train", job.Environment())); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.uri(), HasSubstr("inputdataconfig.json"));
}

TEST(FindChannelOf, KnowsAChannelByItsFolder) {
  JobFolder job(kChannels);
  EXPECT_EQ(FindChannelOf(job.Data("val-1") + "/", job.Environment())->name, "val-1");
  EXPECT_TRUE(FindChannelOf(job.Data("train"), job.Environment())->is_pipe);
  EXPECT_FALSE(FindChannelOf(job.Data("other"), job.Environment()));
}

TEST(FolderOfChannel, LeavesOtherUrisAsTheyAre) {
  JobFolder job(kChannels);
  EXPECT_EQ(FolderOfChannel("s3://b/p/", job.Environment()), "s3://b/p/");
  EXPECT_EQ(FolderOfChannel("channel:val-1", job.Environment()), job.Data("val-1"));
}

TEST(FolderOfChannel, RefusesAPipeAndSaysWhatReadsIt) {
  JobFolder job(kChannels);
  const Error error =
      ErrorOf([&] { static_cast<void>(FolderOfChannel("channel:train", job.Environment())); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("StreamLoader"));
}

}  // namespace
}  // namespace bucketline
