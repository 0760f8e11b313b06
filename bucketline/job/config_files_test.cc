#include "bucketline/job/config_files.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

JobSpec TwoHosts() {
  JobSpec spec;
  spec.hosts = 2;
  spec.hyperparameters = {{"b", "\"x\""}, {"a", "3"}};
  spec.instance_type = "ml.c5.xlarge";
  spec.channels = {{{.name = "train",
                     .uri = "s3://b/t",
                     .mode = ChannelMode::kPipe,
                     .wrapper = ChannelWrapper::kRecordIo,
                     .sharded = true},
                    "text/csv"},
                   {{.name = "fast", .uri = "s3://b/f", .mode = ChannelMode::kFastFile}, ""},
                   {{.name = "files", .uri = "s3://b/x"}, ""}};
  return spec;
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ConfigFilesTest, FollowTheContract) {
  const testing::TempFolder folder;
  const HostLayout layout(folder.path());
  MakeLayout(layout, folder.Path("checkpoints"), false);
  WriteConfigFiles(TwoHosts(), 1, layout);
  EXPECT_EQ(Content(folder.Path("input/config/hyperparameters.json")), R"({"a":"3","b":"\"x\""})");
  EXPECT_EQ(
      Content(folder.Path("input/config/inputdataconfig.json")),
      R"({"train":{"ContentType":"text/csv","TrainingInputMode":"Pipe","S3DistributionType":"ShardedByS3Key",)"
      R"("RecordWrapperType":"RecordIO"},)"
      R"("fast":{"TrainingInputMode":"FastFile","S3DistributionType":"FullyReplicated","RecordWrapperType":"None"},)"
      R"("files":{"TrainingInputMode":"File","S3DistributionType":"FullyReplicated","RecordWrapperType":"None"}})");
  EXPECT_EQ(Content(folder.Path("input/config/resourceconfig.json")),
            R"({"current_host":"algo-2","current_instance_type":"ml.c5.xlarge",)"
            R"("current_group_name":"homogeneousCluster","hosts":["algo-1","algo-2"],)"
            R"("instance_groups":[{"instance_group_name":"homogeneousCluster",)"
            R"("instance_type":"ml.c5.xlarge","hosts":["algo-1","algo-2"]}],)"
            R"("network_interface_name":"lo","topology":null})");
}

TEST(ConfigFilesTest, AreThereWithoutChannelsAndHyperparameters) {
  EXPECT_EQ(HyperparametersConfig({}).dump(), "{}");
  EXPECT_EQ(InputDataConfig({}).dump(), "{}");
}

TEST(ConfigFilesTest, AFileThatCannotBeWrittenIsNamed) {
  try {
    WriteConfigFiles({}, 0, HostLayout("/nowhere"));
    FAIL() << "there is no such folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.uri(), "/nowhere/input/config/hyperparameters.json");
  }
}

}  // namespace
}  // namespace bucketline
