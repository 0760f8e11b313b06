#include "bucketline/job/request_shape.h"

#include <algorithm>

namespace bucketline {
namespace {

std::vector<Shape> Structures() {
  return {
      {.name = "CreateTrainingJobRequest",
       .kind = ShapeKind::kStructure,
       .members = {{"TrainingJobName", "TrainingJobName", true},
                   {"HyperParameters", "HyperParameters"},
                   {"AlgorithmSpecification", "AlgorithmSpecification"},
                   {"RoleArn"},
                   {"InputDataConfig", "InputDataConfig"},
                   {"OutputDataConfig", "OutputDataConfig", true},
                   {"ResourceConfig", "ResourceConfig"},
                   {"VpcConfig"},
                   {"StoppingCondition", "StoppingCondition"},
                   {"Tags"},
                   {"EnableNetworkIsolation"},
                   {"EnableInterContainerTrafficEncryption"},
                   {"EnableManagedSpotTraining", "Boolean"},
                   {"CheckpointConfig", "CheckpointConfig"},
                   {"DebugHookConfig"},
                   {"DebugRuleConfigurations"},
                   {"TensorBoardOutputConfig"},
                   {"ExperimentConfig"},
                   {"ProfilerConfig"},
                   {"ProfilerRuleConfigurations"},
                   {"Environment", "TrainingEnvironmentMap"},
                   {"RetryStrategy"},
                   {"RemoteDebugConfig"},
                   {"InfraCheckConfig"},
                   {"SessionChainingConfig"},
                   {"ServerlessJobConfig"},
                   {"MlflowConfig"},
                   {"ModelPackageConfig"}}},
      {.name = "AlgorithmSpecification",
       .kind = ShapeKind::kStructure,
       .members = {{"TrainingImage", "AlgorithmImage"},
                   {"AlgorithmName"},
                   {"TrainingInputMode", "TrainingInputMode", true},
                   {"MetricDefinitions"},
                   {"EnableSageMakerMetricsTimeSeries"},
                   {"ContainerEntrypoint", "TrainingContainerEntrypoint"},
                   {"ContainerArguments", "TrainingContainerArguments"},
                   {"TrainingImageConfig"}}},
      {.name = "Channel",
       .kind = ShapeKind::kStructure,
       .members = {{"ChannelName", "ChannelName", true},
                   {"DataSource", "DataSource", true},
                   {"ContentType", "ContentType"},
                   {"CompressionType", "CompressionType"},
                   {"RecordWrapperType", "RecordWrapper"},
                   {"InputMode", "TrainingInputMode"},
                   {"ShuffleConfig", "ShuffleConfig"}}},
      {.name = "DataSource",
       .kind = ShapeKind::kStructure,
       .members = {{"S3DataSource", "S3DataSource"},
                   {"FileSystemDataSource", "FileSystemDataSource"},
                   {"DatasetSource", "DatasetSource"}}},
      {.name = "S3DataSource",
       .kind = ShapeKind::kStructure,
       .members = {{"S3DataType", "S3DataType", true},
                   {"S3Uri", "S3Uri", true},
                   {"S3DataDistributionType", "S3DataDistribution"},
                   {"AttributeNames", "AttributeNames"},
                   {"InstanceGroupNames", "InstanceGroupNames"},
                   {"ModelAccessConfig"},
                   {"HubAccessConfig"}}},
      {.name = "FileSystemDataSource",
       .kind = ShapeKind::kStructure,
       .members = {{"FileSystemId", "FileSystemId", true},
                   {"FileSystemAccessMode", "FileSystemAccessMode", true},
                   {"FileSystemType", "FileSystemType", true},
                   {"DirectoryPath", "DirectoryPath", true}}},
      {.name = "DatasetSource",
       .kind = ShapeKind::kStructure,
       .members = {{"DatasetArn", "HubDataSetArn", true}}},
      {.name = "ShuffleConfig", .kind = ShapeKind::kStructure, .members = {{"Seed", "Seed", true}}},
      {.name = "OutputDataConfig",
       .kind = ShapeKind::kStructure,
       .members = {{"KmsKeyId"},
                   {"S3OutputPath", "S3Uri", true},
                   {"CompressionType", "OutputCompressionType"}}},
      {.name = "ResourceConfig",
       .kind = ShapeKind::kStructure,
       .members = {{"InstanceType"},
                   {"InstanceCount", "TrainingInstanceCount"},
                   {"VolumeSizeInGB"},
                   {"VolumeKmsKeyId"},
                   {"KeepAlivePeriodInSeconds"},
                   {"InstanceGroups", "InstanceGroups"},
                   {"TrainingPlanArn"},
                   {"InstancePlacementConfig"},
                   {"InstancePreferences"},
                   {"SelectedInstanceType"},
                   {"SelectedInstanceCount"}}},
      {.name = "InstanceGroup",
       .kind = ShapeKind::kStructure,
       .members = {{"InstanceType", {}, true},
                   {"InstanceCount", "TrainingInstanceCount", true},
                   {"InstanceGroupName", "InstanceGroupName", true}}},
      {.name = "StoppingCondition",
       .kind = ShapeKind::kStructure,
       .members = {{"MaxRuntimeInSeconds", "MaxRuntimeInSeconds"},
                   {"MaxWaitTimeInSeconds", "MaxWaitTimeInSeconds"},
                   {"MaxPendingTimeInSeconds"}}},
      {.name = "CheckpointConfig",
       .kind = ShapeKind::kStructure,
       .members = {{"S3Uri", "S3Uri", true}, {"LocalPath", "DirectoryPath"}}},
  };
}

std::vector<Shape> Collections() {
  return {
      {.name = "HyperParameters",
       .kind = ShapeKind::kMap,
       .min = 0,
       .max = 100,
       .key = "HyperParameterKey",
       .value = "HyperParameterValue"},
      {.name = "TrainingEnvironmentMap",
       .kind = ShapeKind::kMap,
       .min = 0,
       .max = 100,
       .key = "TrainingEnvironmentKey",
       .value = "TrainingEnvironmentValue"},
      {.name = "InputDataConfig", .kind = ShapeKind::kList, .min = 1, .max = 20, .value = "Channel"},
      {.name = "AttributeNames", .kind = ShapeKind::kList, .min = 0, .max = 16, .value = "AttributeName"},
      {.name = "InstanceGroupNames",
       .kind = ShapeKind::kList,
       .min = 0,
       .max = 5,
       .value = "InstanceGroupName"},
      {.name = "InstanceGroups", .kind = ShapeKind::kList, .min = 0, .max = 5, .value = "InstanceGroup"},
      {.name = "TrainingContainerEntrypoint",
       .kind = ShapeKind::kList,
       .min = 1,
       .max = 100,
       .value = "TrainingContainerEntrypointString"},
      {.name = "TrainingContainerArguments",
       .kind = ShapeKind::kList,
       .min = 1,
       .max = 100,
       .value = "TrainingContainerArgument"},
  };
}

std::vector<Shape> Scalars() {
  return {
      {.name = "TrainingJobName", .min = 1, .max = 63, .pattern = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"},
      {.name = "HyperParameterKey", .min = 0, .max = 256, .pattern = ".*"},
      {.name = "HyperParameterValue", .min = 0, .max = 2500, .pattern = ".*"},
      {.name = "TrainingEnvironmentKey", .min = 0, .max = 512, .pattern = "[a-zA-Z_][a-zA-Z0-9_]*"},
      {.name = "TrainingEnvironmentValue", .min = 0, .max = 512, .pattern = "[\\S\\s]*"},
      {.name = "AlgorithmImage", .min = 0, .max = 255, .pattern = ".*"},
      {.name = "TrainingInputMode", .values = {"Pipe", "File", "FastFile"}},
      {.name = "TrainingContainerEntrypointString", .min = 0, .max = 256, .pattern = ".*"},
      {.name = "TrainingContainerArgument", .min = 0, .max = 256, .pattern = ".*"},
      {.name = "ChannelName", .min = 1, .max = 64, .pattern = "[A-Za-z0-9\\.\\-_]+"},
      {.name = "S3DataType", .values = {"ManifestFile", "S3Prefix", "AugmentedManifestFile", "Converse"}},
      {.name = "S3Uri", .min = 0, .max = 1024, .pattern = "(https|s3)://([^/]+)/?(.*)"},
      {.name = "S3DataDistribution", .values = {"FullyReplicated", "ShardedByS3Key"}},
      {.name = "AttributeName", .min = 1, .max = 256, .pattern = ".+"},
      {.name = "InstanceGroupName", .min = 1, .max = 64, .pattern = ".+"},
      {.name = "FileSystemId", .min = 11, .max = 21, .pattern = "(fs-[0-9a-f]{8,})"},
      {.name = "FileSystemAccessMode", .values = {"rw", "ro"}},
      {.name = "FileSystemType", .values = {"EFS", "FSxLustre"}},
      {.name = "DirectoryPath", .min = 0, .max = 4096, .pattern = ".*"},
      {.name = "HubDataSetArn",
       .min = 0,
       .max = 2048,
       .pattern = "(arn:[a-z0-9-\\.]{1,63}:sagemaker:\\w+(?:-\\w+)+:(\\d{12}|aws):hub-content\\/)"
                  "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}\\/DataSet\\/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,63}"
                  "(\\/\\d{1,4}.\\d{1,4}.\\d{1,4})?"},
      {.name = "ContentType", .min = 0, .max = 256, .pattern = ".*"},
      {.name = "CompressionType", .values = {"None", "Gzip"}},
      {.name = "RecordWrapper", .values = {"None", "RecordIO"}},
      {.name = "OutputCompressionType", .values = {"GZIP", "NONE"}},
      {.name = "Seed", .kind = ShapeKind::kLong},
      {.name = "TrainingInstanceCount", .kind = ShapeKind::kInteger, .min = 0},
      {.name = "MaxRuntimeInSeconds", .kind = ShapeKind::kInteger, .min = 1},
      {.name = "MaxWaitTimeInSeconds", .kind = ShapeKind::kInteger, .min = 1},
      {.name = "Boolean", .kind = ShapeKind::kBoolean},
  };
}

}  // namespace

const std::vector<Shape>& RequestShapes() {
  static const std::vector<Shape> shapes = [] {
    std::vector<Shape> all = Structures();
    for (const auto& more : {Collections(), Scalars()}) all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return shapes;
}

const Shape& RequestShape(std::string_view name) {
  const std::vector<Shape>& shapes = RequestShapes();
  return *std::find_if(shapes.begin(), shapes.end(), [&](const Shape& shape) { return shape.name == name; });
}

}  // namespace bucketline
