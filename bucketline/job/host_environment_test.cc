#include "bucketline/job/host_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bucketline/job/script_hyperparameters.h"

namespace bucketline {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

JobSpec Spec() {
  JobSpec spec;
  spec.name = "j1";
  spec.hosts = 2;
  spec.channels = {{{.name = "my-train", .uri = "s3://b/t"}, ""}, {{.name = "eval", .uri = "s3://b/e"}, ""}};
  spec.hyperparameters = {{"learning-rate", "0.1"},
                          {"epochs", "3"},
                          {"name", "\"resnet\""},
                          {"raw", "no json"},
                          {"sagemaker_program", "\"train.py\""},
                          {"sagemaker_mpi_enabled", "false"},
                          {"flag", "true"}};
  return spec;
}

VariableMap Environment(const JobSpec& spec, const StoreAddress& store = {}) {
  return HostEnvironment(spec, 1, HostLayout("/r"), store, {.cpus = 4, .gpus = 1});
}

TEST(HostEnvironmentTest, ThePlatformsVariables) {
  JobSpec spec = Spec();
  spec.environment = {{"K", "V"}, {"SM_NUM_GPUS", "8"}};
  const VariableMap map =
      Environment(spec, {.endpoint_url = "http://127.0.0.1:9000", .region = "eu-west-1", .profile = "p"});
  EXPECT_EQ(map.at("TRAINING_JOB_NAME"), "j1");
  EXPECT_EQ(map.at("TRAINING_JOB_ARN"), "arn:aws:sagemaker:eu-west-1:000000000000:training-job/j1");
  EXPECT_EQ(map.at("SAGEMAKER_BASE_DIR"), "/r");
  EXPECT_EQ(map.at("S3_ENDPOINT_URL"), "http://127.0.0.1:9000");
  EXPECT_EQ(map.at("AWS_ENDPOINT_URL_S3"), "http://127.0.0.1:9000");
  EXPECT_EQ(map.at("AWS_REGION"), "eu-west-1");
  EXPECT_EQ(map.at("AWS_PROFILE"), "p");
  EXPECT_EQ(map.at("K"), "V");
  EXPECT_EQ(map.at("SM_NUM_GPUS"), "8");  // the job's own wins
}

TEST(HostEnvironmentTest, WhatIsNotKnownIsNotSet) {
  const VariableMap map = Environment(Spec());
  for (const char* name : {"S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_PROFILE"}) {
    EXPECT_FALSE(map.contains(name)) << name;
  }
}

TEST(HostEnvironmentTest, TheToolkitsVariables) {
  const VariableMap map = Environment(Spec());
  EXPECT_EQ(map.at("SM_HOSTS"), R"(["algo-1","algo-2"])");
  EXPECT_EQ(map.at("SM_CURRENT_HOST"), "algo-2");
  EXPECT_EQ(map.at("SM_CHANNELS"), R"(["eval","my-train"])");
  EXPECT_EQ(map.at("SM_CHANNEL_MY-TRAIN"), "/r/input/data/my-train");
  EXPECT_EQ(map.at("SM_MODEL_DIR"), "/r/model");
  EXPECT_EQ(map.at("SM_OUTPUT_DATA_DIR"), "/r/output/data");
  EXPECT_EQ(map.at("SM_HPS"),
            R"({"epochs":3,"flag":true,"learning-rate":0.1,"name":"resnet","raw":"no json"})");
  EXPECT_EQ(map.at("SM_FRAMEWORK_PARAMS"), R"({"sagemaker_mpi_enabled":false})");
  EXPECT_EQ(map.at("SM_HP_NAME"), "resnet");
  EXPECT_EQ(map.at("SM_HP_FLAG"), "true");
  EXPECT_EQ(map.at("SM_USER_ENTRY_POINT"), "train.py");
  EXPECT_EQ(map.at("SM_MODULE_NAME"), "train");
  EXPECT_EQ(map.at("SM_FRAMEWORK_MODULE"), "");
  EXPECT_EQ(map.at("SM_NUM_CPUS"), "4");
  EXPECT_EQ(map.at("SM_NUM_GPUS"), "1");
  EXPECT_EQ(map.at("SM_IS_HETERO"), "false");
  const json all = json::parse(map.at("SM_TRAINING_ENV"));
  EXPECT_EQ(all["channel_input_dirs"]["eval"], "/r/input/data/eval");
  EXPECT_EQ(all["is_master"], false);
}

TEST(HostEnvironmentTest, TheToolkitsOwnSettings) {
  JobSpec spec = Spec();
  EXPECT_EQ(Environment(spec).at("SM_MODULE_DIR"), "/r/code");
  EXPECT_EQ(Environment(spec).at("SM_LOG_LEVEL"), "20");
  spec.hyperparameters["sagemaker_submit_directory"] = "\"s3://b/source.tar.gz\"";
  spec.hyperparameters["sagemaker_container_log_level"] = "10";
  EXPECT_EQ(Environment(spec).at("SM_MODULE_DIR"), "s3://b/source.tar.gz");
  EXPECT_EQ(Environment(spec).at("SM_LOG_LEVEL"), "10");
}

TEST(HostEnvironmentTest, TheNamesOfVersion3) {
  const VariableMap map = Environment(Spec());
  EXPECT_EQ(map.at("SM_HP_LEARNING-RATE"), "0.1");
  EXPECT_EQ(map.at("SM_HP_LEARNING_RATE"), "0.1");
  EXPECT_EQ(map.at("SM_HOST_COUNT"), "2");
  EXPECT_EQ(map.at("SM_CURRENT_HOST_RANK"), "1");
  EXPECT_EQ(map.at("SM_MASTER_ADDR"), "127.0.0.1");
  EXPECT_EQ(map.at("SM_MASTER_PORT"), "7777");
  EXPECT_EQ(map.at("SM_OUTPUT_FAILURE"), "/r/output/failure");
  EXPECT_EQ(map.at("SM_INPUT_DATA_DIR"), "/r/input/data");
  EXPECT_EQ(map.at("SM_SOURCE_DIR"), "/r/code");
  EXPECT_EQ(map.at("SM_ENTRY_SCRIPT"), "train.py");
}

TEST(ScriptArgumentsTest, AreSortedAndAsPythonPrintsThem) {
  const ScriptHyperparameters decoded = DecodeHyperparameters({{"b", "true"},
                                                               {"n", "null"},
                                                               {"list", R"([1, "it's", null, {"k": false}])"},
                                                               {"lr", "1e-05"},
                                                               {"sagemaker_program", "x"},
                                                               {"text", "a b"}});
  EXPECT_THAT(ScriptArguments(decoded),
              ElementsAre("-b", "True", "--list", "[1, \"it's\", None, {'k': False}]", "--lr", "1e-05", "-n",
                          "", "--text", "a b"));
  EXPECT_EQ(json(ScriptArguments(decoded)).dump(),
            HostEnvironment({.name = "j",
                             .hyperparameters = {{"b", "true"},
                                                 {"n", "null"},
                                                 {"list", R"([1, "it's", null, {"k": false}])"},
                                                 {"lr", "1e-05"},
                                                 {"text", "a b"}}},
                            0, HostLayout("/r"), {}, {})
                .at("SM_USER_ARGS"));
}

}  // namespace
}  // namespace bucketline
