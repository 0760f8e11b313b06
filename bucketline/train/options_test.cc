#include "bucketline/train/options.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

void ExpectRefused(const TrainOptions& options, const std::string& what) {
  try {
    options.Validate();
    FAIL() << "accepted, though " << what;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr(what));
  }
}

TEST(TrainOptions, DefaultsAreValid) { EXPECT_NO_THROW(TrainOptions().Validate()); }

TEST(TrainOptions, EachFieldOutOfRangeIsNamed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ExpectRefused({.model = "resnet"}, "resnet");
  ExpectRefused({.width = 0}, "width");
  ExpectRefused({.width = nan}, "width");
  ExpectRefused({.dropout = 1}, "dropout");
  ExpectRefused({.learning_rate = 0}, "learning rate");
  ExpectRefused({.learning_rate = nan}, "learning rate");
  ExpectRefused({.momentum = 1}, "momentum");
  ExpectRefused({.weight_decay = -1}, "weight decay");
  ExpectRefused({.schedule = {.factor = 0}}, "factor");
  ExpectRefused({.label_smoothing = 1}, "label smoothing");
  ExpectRefused({.label_smoothing = nan}, "label smoothing");
  ExpectRefused({.device = DeviceKind::kCpu, .precision = Precision::kFloat16}, "float16");
  ExpectRefused({.model = "s3://b/net.pt", .width = 0.5}, "width");
  ExpectRefused({.model = "net.pt", .dropout = 0.5}, "dropout");
  ExpectRefused({.epochs = 0}, "epochs");
  ExpectRefused({.image_size = 31}, "image size");
  ExpectRefused({.flip = 2}, "flip");
  ExpectRefused({.checkpoint = "c", .keep = 0}, "keep");
  ExpectRefused({.resume = true}, "resume");
}

TEST(TrainOptions, APtFileIsATorchScriptModule) {
  const TrainOptions options{.model = "s3://b/net.pt"};
  EXPECT_NO_THROW(options.Validate());
  EXPECT_TRUE(options.UsesTorchScript());
  EXPECT_FALSE(TrainOptions().UsesTorchScript());
}

TEST(TrainOptions, ImagesFitTheModel) {
  const TrainOptions options{.image_size = 96, .crop = Crop::kRandomResized, .flip = 0.5};
  const ImageSpec train = options.TrainImage(), validation = options.ValidationImage();
  EXPECT_EQ(train.height, 96);
  EXPECT_EQ(train.width, 96);
  EXPECT_EQ(train.layout, PixelLayout::kNhwc);
  EXPECT_EQ(train.type, PixelType::kFloat32);
  EXPECT_EQ(train.mean, ImageSpec::kImagenetMean);
  EXPECT_EQ(train.crop, Crop::kRandomResized);
  EXPECT_EQ(train.flip, 0.5);
  EXPECT_EQ(validation.crop, Crop::kCenter);
  EXPECT_EQ(validation.flip, 0);
  EXPECT_EQ(TrainOptions().ValidationImage().crop, Crop::kNone);
  EXPECT_EQ(TrainOptions{.crop = Crop::kPad}.ValidationImage().crop, Crop::kPad);
}

TEST(TrainOptions, OtherImageOptionsReachBothButNotTheJitter) {
  TrainOptions options;
  options.image.resize = Resize::kBicubic;
  options.image.orient = true;
  options.image.jitter = {0.1, 0.2, 0.3};
  options.image.height = 7;  // the model's size, type and channels stand
  options.image.channels = 1;
  options.image.type = PixelType::kUint8;
  for (const ImageSpec& spec : {options.TrainImage(), options.ValidationImage()}) {
    EXPECT_EQ(spec.resize, Resize::kBicubic);
    EXPECT_TRUE(spec.orient);
    EXPECT_EQ(spec.height, 224);
    EXPECT_EQ(spec.channels, 3);
    EXPECT_EQ(spec.type, PixelType::kFloat32);
    EXPECT_NO_THROW(spec.Validate());
  }
  EXPECT_EQ(options.TrainImage().jitter, options.image.jitter);
  EXPECT_FALSE(options.ValidationImage().jitter.any());
  options.image.jitter.contrast = -1;
  EXPECT_THROW(options.Validate(), Error);
}

TEST(CheckpointSchedule, ParsesTimesAndSteps) {
  EXPECT_EQ(CheckpointSchedule::Parse("60s").period, std::chrono::seconds(60));
  EXPECT_FALSE(CheckpointSchedule::Parse("60s").steps);
  EXPECT_EQ(CheckpointSchedule::Parse("500steps").steps, 500u);
  EXPECT_FALSE(CheckpointSchedule::Parse("500steps").period);
  for (const char* text : {"", "often", "0s", "0steps", "steps", "5.5steps", "-1steps", "5"}) {
    EXPECT_THROW(CheckpointSchedule::Parse(text), Error) << text;
  }
}

TEST(ChooseLoss, FollowsTheClassesUnlessTold) {
  EXPECT_EQ(ChooseLoss(std::nullopt, 2), LossKind::kBinaryCrossEntropy);
  EXPECT_EQ(ChooseLoss(std::nullopt, 3), LossKind::kCategoricalCrossEntropy);
  EXPECT_EQ(ChooseLoss(LossKind::kCategoricalCrossEntropy, 2), LossKind::kCategoricalCrossEntropy);
  EXPECT_THROW(ChooseLoss(LossKind::kBinaryCrossEntropy, 3), Error);
  EXPECT_THROW(ChooseLoss(std::nullopt, 1), Error);
  EXPECT_THROW(ChooseLoss(std::nullopt, 0), Error);
}

TEST(Names, AreThoseOfTheCommandLine) {
  EXPECT_EQ(OptimizerName(OptimizerKind::kAdam), "adam");
  EXPECT_EQ(OptimizerName(OptimizerKind::kSgd), "sgd");
  EXPECT_EQ(LossName(LossKind::kBinaryCrossEntropy), "binary_crossentropy");
  EXPECT_EQ(LossName(LossKind::kCategoricalCrossEntropy), "categorical_crossentropy");
  EXPECT_EQ(PrecisionName(Precision::kFloat32), "float32");
  EXPECT_EQ(PrecisionName(Precision::kBfloat16), "bfloat16");
  EXPECT_EQ(PrecisionName(Precision::kFloat16), "float16");
}

}  // namespace
}  // namespace bucketline
