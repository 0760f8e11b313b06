#include "bucketline/job/job_spec.h"

#include <cstdint>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

json Minimal() {
  return json::parse(R"({"TrainingJobName": "j1", "AlgorithmSpecification": {"TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/out"}})");
}

json WithChannel(const json& changes = json::object()) {
  json request = Minimal();
  json channel = json::parse(R"({"ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p/"}}})");
  channel.merge_patch(changes);
  request["InputDataConfig"] = json::array({channel});
  return request;
}

json SourcePatch(const json& changes) { return {{"DataSource", {{"S3DataSource", changes}}}}; }

std::vector<std::string> Faults(const json& request) {
  std::vector<std::string> all;
  for (const JobFault& fault : ReadJob(request.dump()).faults) all.push_back(fault.ToString());
  return all;
}

TEST(JobSpecTest, ReadsEveryField) {
  const JobReading reading = ReadJob(R"({
    "TrainingJobName": "j1", "RoleArn": "arn", "Tags": [], "HyperParameters": {"epochs": "3"},
    "Environment": {"K": "V"},
    "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image:1",
      "ContainerEntrypoint": ["python3", "train.py"], "ContainerArguments": ["--fast"]},
    "InputDataConfig": [
      {"ChannelName": "train", "ContentType": "text/csv", "CompressionType": "Gzip", "InputMode": "Pipe",
       "RecordWrapperType": "RecordIO", "ShuffleConfig": {"Seed": -7},
       "DataSource": {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://b/m.jsonl",
         "S3DataDistributionType": "ShardedByS3Key", "AttributeNames": ["source-ref", "label"]}}},
      {"ChannelName": "test", "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://b/m"}}},
      {"ChannelName": "fast", "InputMode": "FastFile",
       "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/f/"}}}],
    "OutputDataConfig": {"S3OutputPath": "s3://b/out", "CompressionType": "NONE"},
    "CheckpointConfig": {"S3Uri": "s3://b/ckpt", "LocalPath": "/opt/ml/ck"},
    "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 2},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60}})");
  ASSERT_THAT(reading.faults, ElementsAre());
  EXPECT_THAT(reading.without_effect, ElementsAre("RoleArn", "ResourceConfig.InstanceType", "Tags"));
  const JobSpec& spec = reading.spec;
  EXPECT_EQ(spec.name, "j1");
  EXPECT_EQ(spec.hyperparameters.at("epochs"), "3");
  EXPECT_EQ(spec.environment.at("K"), "V");
  EXPECT_EQ(spec.image, "image:1");
  EXPECT_THAT(spec.entrypoint, ElementsAre("python3", "train.py"));
  EXPECT_THAT(spec.arguments, ElementsAre("--fast"));
  EXPECT_EQ(spec.output_uri, "s3://b/out");
  EXPECT_EQ(spec.compression, ModelCompression::kNone);
  EXPECT_EQ(spec.checkpoints->uri, "s3://b/ckpt");
  EXPECT_EQ(spec.checkpoints->local_path, "/opt/ml/ck");
  EXPECT_EQ(spec.hosts, 2u);
  EXPECT_EQ(spec.instance_type, "ml.c5.xlarge");
  EXPECT_EQ(spec.max_runtime, std::chrono::seconds(60));

  ASSERT_EQ(spec.channels.size(), 3u);
  const ChannelSpec& train = spec.channels[0].channel;
  EXPECT_EQ(train.name, "train");
  EXPECT_EQ(train.uri, "s3://b/m.jsonl");
  EXPECT_EQ(train.mode, ChannelMode::kPipe);
  EXPECT_EQ(train.data, ChannelData::kAugmentedManifestFile);
  EXPECT_THAT(train.attributes, ElementsAre("source-ref", "label"));
  EXPECT_EQ(train.compression, ChannelCompression::kGzip);
  EXPECT_EQ(train.wrapper, ChannelWrapper::kRecordIo);
  EXPECT_EQ(train.shuffle_seed, -7);
  EXPECT_TRUE(train.sharded);
  EXPECT_EQ(spec.channels[0].content_type, "text/csv");
  EXPECT_EQ(spec.channels[1].channel.mode, ChannelMode::kFile);
  EXPECT_EQ(spec.channels[1].channel.data, ChannelData::kManifestFile);
  EXPECT_EQ(spec.channels[2].channel.mode, ChannelMode::kFastFile);
}

TEST(JobSpecTest, DefaultsAreTheService) {
  const JobSpec spec = ParseJob(WithChannel().dump());
  EXPECT_EQ(spec.hosts, 1u);
  EXPECT_EQ(spec.compression, ModelCompression::kGzip);
  EXPECT_EQ(spec.max_runtime, std::chrono::hours(24));
  EXPECT_FALSE(spec.checkpoints);
  const ChannelSpec& channel = spec.channels[0].channel;
  EXPECT_EQ(channel.mode, ChannelMode::kFile);
  EXPECT_FALSE(channel.sharded);
  EXPECT_FALSE(channel.shuffle_seed);
  json request = Minimal();
  request["CheckpointConfig"] = {{"S3Uri", "s3://b/c"}};
  EXPECT_EQ(ParseJob(request.dump()).checkpoints->local_path, "/opt/ml/checkpoints");
}

TEST(JobSpecTest, NamesEveryFaultAtOnce) {
  json request = WithChannel({{"ChannelName", "a b"}, {"InputMode", "Slow"}, {"Shufle", 1}});
  request.erase("TrainingJobName");
  request["HyperParameters"] = {{"epochs", 3}};
  request["ResourceConfig"] = {{"InstanceCount", 0}};
  EXPECT_THAT(
      Faults(request),
      ElementsAre("TrainingJobName: is required", "HyperParameters[\"epochs\"]: must be text, not 3",
                  "InputDataConfig[0].ChannelName: \"a b\" does not match the pattern [A-Za-z0-9\\.\\-_]+",
                  "InputDataConfig[0].InputMode: \"Slow\" is not one of Pipe, File, FastFile",
                  HasSubstr("InputDataConfig[0].Shufle: is no field"),
                  "ResourceConfig.InstanceCount: a job needs at least one host"));
  try {
    ParseJob(request.dump());
    FAIL() << "faults must throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("TrainingJobName: is required; HyperParameters"));
  }
}

TEST(JobSpecTest, UnknownFieldsNameTheNearest) {
  json request = WithChannel(SourcePatch({{"S3Url", "s3://b/x"}}));
  request["AlgorithmSpecfication"] = json::object();
  EXPECT_THAT(Faults(request),
              ElementsAre(HasSubstr("InputDataConfig[0].DataSource.S3DataSource.S3Url: is no field"),
                          ::testing::EndsWith("the nearest is AlgorithmSpecification")));
  EXPECT_THAT(Faults(request)[0], ::testing::EndsWith("the nearest is S3Uri"));
}

TEST(JobSpecTest, LimitsAreInCharactersEntriesAndValues) {
  json request = Minimal();
  std::string euros;
  for (int i = 0; i < 2500; ++i) euros += "\xE2\x82\xAC";
  request["HyperParameters"] = {{"x", euros}};
  EXPECT_THAT(Faults(request), ElementsAre());
  request["HyperParameters"] = {{"x", euros + "e"}};
  EXPECT_THAT(Faults(request), ElementsAre("HyperParameters[\"x\"]: 2501 characters; at most 2500"));
  request = Minimal();
  for (int i = 0; i < 101; ++i) request["Environment"][fmt::format("K{}", i)] = "";
  request["InputDataConfig"] = json::array();
  request["StoppingCondition"] = {{"MaxRuntimeInSeconds", 0}};
  EXPECT_THAT(Faults(request), ElementsAre("InputDataConfig: 0 entries; at least 1",
                                           "StoppingCondition.MaxRuntimeInSeconds: 0; at least 1",
                                           "Environment: 101 entries; at most 100"));
  request = Minimal();
  request["StoppingCondition"] = {{"MaxRuntimeInSeconds", int64_t{1} << 31}};
  request["Environment"] = {{"1K", "x"}};
  EXPECT_THAT(Faults(request),
              ElementsAre("StoppingCondition.MaxRuntimeInSeconds: 2147483648 is beyond 32 bits",
                          HasSubstr("Environment[\"1K\"] (key): \"1K\" does not match")));
}

TEST(JobSpecTest, ShuffleSeedsAreSigned64Bit) {
  EXPECT_THAT(Faults(WithChannel({{"ShuffleConfig", {{"Seed", INT64_MIN}}}})), ElementsAre());
  EXPECT_THAT(Faults(WithChannel({{"ShuffleConfig", {{"Seed", uint64_t{1} << 63}}}})),
              ElementsAre("InputDataConfig[0].ShuffleConfig.Seed: 9223372036854775808 is beyond 64 bits"));
}

TEST(JobSpecTest, WhatIsNoRequestSaysSo) {
  EXPECT_THAT(ReadJob("{").faults.at(0).what, HasSubstr("is no JSON"));
  EXPECT_THAT(ReadJob("[]").faults.at(0).what, HasSubstr("must be an object, not []"));
}

struct BrokenRule {
  std::string name;
  json request;
  std::string fault;
};

class JobRulesTest : public ::testing::TestWithParam<BrokenRule> {};

TEST_P(JobRulesTest, IsTheOnlyFault) {
  EXPECT_THAT(Faults(GetParam().request), ElementsAre(GetParam().fault));
}

json Patched(json request, const json& changes) {
  request.merge_patch(changes);
  return request;
}

json TwoChannels(const std::string& first, const std::string& second, const std::string& first_mode) {
  json request = WithChannel({{"ChannelName", first}, {"InputMode", first_mode}});
  request["InputDataConfig"].push_back(WithChannel({{"ChannelName", second}})["InputDataConfig"][0]);
  return request;
}

constexpr const char* kType = "InputDataConfig[0].DataSource.S3DataSource.S3DataType: ";
constexpr const char* kAttributes = "InputDataConfig[0].DataSource.S3DataSource.AttributeNames: ";

INSTANTIATE_TEST_SUITE_P(
    All, JobRulesTest,
    ::testing::Values(
        BrokenRule{
            "AugmentedInFile",
            WithChannel(SourcePatch({{"S3DataType", "AugmentedManifestFile"}, {"AttributeNames", {"a"}}})),
            std::string(kType) + "AugmentedManifestFile needs InputMode Pipe, not File"},
        BrokenRule{"AugmentedWithoutAttributes",
                   WithChannel(Patched(SourcePatch({{"S3DataType", "AugmentedManifestFile"}}),
                                       {{"InputMode", "Pipe"}})),
                   std::string(kAttributes) + "an AugmentedManifestFile needs at least one"},
        BrokenRule{"AttributesOfAPrefix", WithChannel(SourcePatch({{"AttributeNames", {"a"}}})),
                   std::string(kAttributes) + "belong to an AugmentedManifestFile only"},
        BrokenRule{
            "FastFileOfAManifest",
            WithChannel(Patched(SourcePatch({{"S3DataType", "ManifestFile"}}), {{"InputMode", "FastFile"}})),
            std::string(kType) + "InputMode FastFile needs S3Prefix, not ManifestFile"},
        BrokenRule{"Converse", WithChannel(SourcePatch({{"S3DataType", "Converse"}})),
                   std::string(kType) + "Converse is for model customization, which is not done here"},
        BrokenRule{"GzipInFile", WithChannel({{"CompressionType", "Gzip"}}),
                   "InputDataConfig[0].CompressionType: Gzip needs InputMode Pipe, not File"},
        BrokenRule{"RecordIoInFastFile",
                   WithChannel({{"RecordWrapperType", "RecordIO"}, {"InputMode", "FastFile"}}),
                   "InputDataConfig[0].RecordWrapperType: RecordIO needs InputMode Pipe, not FastFile"},
        BrokenRule{"NoSource", WithChannel({{"DataSource", {{"S3DataSource", nullptr}}}}),
                   "InputDataConfig[0].DataSource: must name exactly one source"},
        BrokenRule{
            "FileSystem",
            WithChannel({{"DataSource",
                          {{"S3DataSource", nullptr},
                           {"FileSystemDataSource",
                            {{"FileSystemId", "fs-01234567"},
                             {"FileSystemAccessMode", "ro"},
                             {"FileSystemType", "EFS"},
                             {"DirectoryPath", "/d"}}}}}}),
            "InputDataConfig[0].DataSource.FileSystemDataSource: cannot be mounted on this machine; use "
            "S3DataSource"},
        BrokenRule{
            "InstanceGroupsOfASource", WithChannel(SourcePatch({{"InstanceGroupNames", {"g"}}})),
            "InputDataConfig[0].DataSource.S3DataSource.InstanceGroupNames: all hosts are alike here; leave "
            "it out"},
        BrokenRule{"HttpsUri", WithChannel(SourcePatch({{"S3Uri", "https://b/p"}})),
                   "InputDataConfig[0].DataSource.S3DataSource.S3Uri: https://b/p is no s3:// URI"},
        BrokenRule{"SameName", TwoChannels("a", "a", "File"),
                   "InputDataConfig[1].ChannelName: \"a\" is also InputDataConfig[0]"},
        BrokenRule{
            "NameOfAFifo", TwoChannels("a", "a_0", "Pipe"),
            "InputDataConfig[1].ChannelName: \"a_0\" is the name of an epoch's FIFO of InputDataConfig[0] "
            "(\"a\", Pipe)"},
        BrokenRule{
            "InstanceGroups",
            Patched(Minimal(),
                    {{"ResourceConfig",
                      {{"InstanceGroups",
                        {{{"InstanceType", "x"}, {"InstanceCount", 1}, {"InstanceGroupName", "g"}}}}}}}),
            "ResourceConfig.InstanceGroups: all hosts are alike here; give InstanceCount instead"},
        BrokenRule{"SpotWithoutWait", Patched(Minimal(), {{"EnableManagedSpotTraining", true}}),
                   "StoppingCondition.MaxWaitTimeInSeconds: EnableManagedSpotTraining needs it"},
        BrokenRule{"WaitWithoutSpot",
                   Patched(Minimal(), {{"StoppingCondition", {{"MaxWaitTimeInSeconds", 86400}}}}),
                   "StoppingCondition.MaxWaitTimeInSeconds: needs EnableManagedSpotTraining"},
        BrokenRule{"ShortWait",
                   Patched(Minimal(), {{"EnableManagedSpotTraining", true},
                                       {"StoppingCondition", {{"MaxWaitTimeInSeconds", 9}}}}),
                   "StoppingCondition.MaxWaitTimeInSeconds: must be at least MaxRuntimeInSeconds"},
        BrokenRule{"OutputNotInS3",
                   Patched(Minimal(), {{"OutputDataConfig", {{"S3OutputPath", "https://b"}}}}),
                   "OutputDataConfig.S3OutputPath: https://b is no s3:// URI"},
        BrokenRule{"CheckpointsNotInS3", Patched(Minimal(), {{"CheckpointConfig", {{"S3Uri", "https://b"}}}}),
                   "CheckpointConfig.S3Uri: https://b is no s3:// URI"},
        BrokenRule{"OddBucket", Patched(Minimal(), {{"CheckpointConfig", {{"S3Uri", "s3://B?/x"}}}}),
                   "CheckpointConfig.S3Uri: \"B?\" is not a bucket name"},
        BrokenRule{"CheckpointsElsewhere",
                   Patched(Minimal(), {{"CheckpointConfig", {{"S3Uri", "s3://b/c"}, {"LocalPath", "/tmp"}}}}),
                   "CheckpointConfig.LocalPath: must name a folder of its own below /opt/ml, which the job's "
                   "root stands for"}),
    [](const auto& tested) { return tested.param.name; });

TEST(JobRulesTest, CheckpointsHaveAFolderOfTheirOwn) {
  const auto faults = [](const std::string& path) {
    return Faults(Patched(Minimal(), {{"CheckpointConfig", {{"S3Uri", "s3://b/c"}, {"LocalPath", path}}}}))
        .size();
  };
  for (const char* path : {"/opt/ml/checkpoints", "/opt/ml/checkpoints//", "/opt/ml/a/b", "/opt/ml/models",
                           "/opt/ml/a/model", "/opt/ml/..a"}) {
    EXPECT_EQ(faults(path), 0u) << path;
  }
  for (const char* path :
       {"/opt/ml", "/opt/ml/", "/opt/mlx/a", "/opt/ml/code", "/opt/ml/model/", "/opt/ml/input/data",
        "/opt/ml/output/x", "/opt/ml/../etc", "/opt/ml/a/..", "/opt/ml/./code", "/opt/ml//code"}) {
    EXPECT_EQ(faults(path), 1u) << path;
  }
}

TEST(JobRulesTest, ChannelsAreFolders) {
  for (const char* name : {".", ".."}) {
    EXPECT_THAT(Faults(WithChannel({{"ChannelName", name}})),
                ElementsAre("InputDataConfig[0].ChannelName: is no name of a folder"));
  }
}

TEST(JobRulesTest, NamesThatOnlyLookLikeFifos) {
  EXPECT_THAT(Faults(TwoChannels("a", "a_00", "Pipe")), ElementsAre());
  EXPECT_THAT(Faults(TwoChannels("a", "a_0", "File")), ElementsAre());
  EXPECT_THAT(Faults(TwoChannels("b", "a_0", "Pipe")), ElementsAre());
}

}  // namespace
}  // namespace bucketline
