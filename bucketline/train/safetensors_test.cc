#include "bucketline/train/safetensors.h"

#include <random>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/result.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> Ramp(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7);
  return bytes;
}

std::vector<uint8_t> FileWith(std::string header, size_t data_bytes) {
  std::vector<uint8_t> file;
  for (size_t i = 0; i < 8; ++i) file.push_back(static_cast<uint8_t>(header.size() >> (8 * i)));
  file.insert(file.end(), header.begin(), header.end());
  file.resize(file.size() + data_bytes);
  return file;
}

ErrorCode CodeOf(std::vector<uint8_t> file) {
  try {
    SafetensorsFile opened(Bytes::FromVector(std::move(file)));
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "it was opened";
  return ErrorCode::kInternal;
}

TEST(Safetensors, RoundTrip) {
  const std::vector<uint8_t> weights = Ramp(24), steps = Ramp(8);
  const Bytes bytes = WriteSafetensors({{"b.weight", {TensorType::kFloat32, {2, 3}, weights}},
                                        {"a.step", {TensorType::kInt64, {}, steps}},
                                        {"empty", {TensorType::kFloat32, {0, 4}, {}}}},
                                       {{"format", "pt"}});
  const SafetensorsFile file(bytes);
  ASSERT_EQ(file.tensors().size(), 3u);
  const TensorView& view = file.tensors().at("b.weight");
  EXPECT_EQ(view.type, TensorType::kFloat32);
  EXPECT_EQ(view.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(std::vector<uint8_t>(view.data.begin(), view.data.end()), weights);
  EXPECT_EQ(file.tensors().at("a.step").type, TensorType::kInt64);
  EXPECT_TRUE(file.tensors().at("a.step").shape.empty());
  EXPECT_TRUE(file.tensors().at("empty").data.empty());
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST(Safetensors, DataStartsAlignedAsOtherReadersExpect) {
  const std::vector<uint8_t> data = Ramp(4);
  const Bytes bytes = WriteSafetensors({{"x", {TensorType::kFloat32, {1}, data}}});
  EXPECT_EQ((bytes.size() - data.size()) % 8, 0u);
}

TEST(Safetensors, WriteRefusesDataThatDisagreesWithItsShape) {
  const std::vector<uint8_t> data = Ramp(8);
  try {
    WriteSafetensors({{"x", {TensorType::kFloat32, {3}, data}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("x"));
  }
}

TEST(Safetensors, DamageIsCorruptData) {
  EXPECT_EQ(CodeOf({}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf({1, 2, 3}), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(std::vector<uint8_t>(8, 0xff)), ErrorCode::kCorruptData);  // a header of 2^64 - 1 bytes
  EXPECT_EQ(CodeOf(FileWith("not json", 0)), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith("[]", 0)), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[1]}})", 4)), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3)),
            ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4)),
            ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4)),
            ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4)),
            ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[1e30],"data_offsets":[0,4]}})", 4)),
            ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,1e30]}})", 4)),
            ErrorCode::kCorruptData);
  EXPECT_EQ(
      CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0)),
      ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                            8)),
            ErrorCode::kCorruptData);
}

TEST(Safetensors, AnotherTypeIsUnsupported) {
  EXPECT_EQ(CodeOf(FileWith(R"({"x":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", 4)),
            ErrorCode::kUnsupported);
}

TEST(Safetensors, EachTypeHasItsNameAndSize) {
  const std::vector<std::tuple<TensorType, std::string, size_t>> types = {
      {TensorType::kFloat32, "F32", 4},   {TensorType::kFloat64, "F64", 8}, {TensorType::kFloat16, "F16", 2},
      {TensorType::kBfloat16, "BF16", 2}, {TensorType::kInt64, "I64", 8},   {TensorType::kInt32, "I32", 4},
      {TensorType::kInt16, "I16", 2},     {TensorType::kInt8, "I8", 1},     {TensorType::kUint8, "U8", 1},
      {TensorType::kBool, "BOOL", 1}};
  for (const auto& [type, name, size] : types) {
    const std::vector<uint8_t> data = Ramp(3 * size);
    const Bytes bytes = WriteSafetensors({{"x", {type, {3}, data}}});
    EXPECT_NE(bytes.view().find("\"" + name + "\""), std::string_view::npos);
    const SafetensorsFile file(bytes);
    EXPECT_EQ(file.tensors().at("x").type, type) << name;
    EXPECT_EQ(file.tensors().at("x").data.size(), data.size()) << name;
  }
}

TEST(Safetensors, RandomDamageNeverCrashes) {
  const std::vector<uint8_t> data = Ramp(40);
  const Bytes whole = WriteSafetensors({{"x", {TensorType::kFloat32, {2, 5}, data}}}, {{"k", "v"}});
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::vector<uint8_t> damaged(whole.data(), whole.data() + whole.size());
    damaged[random() % damaged.size()] = static_cast<uint8_t>(random());
    if (random() % 4 == 0) damaged.resize(random() % damaged.size());
    const Result<int> opened = Catch([&] {
      const SafetensorsFile file(Bytes::FromVector(damaged));
      int sum = 0;
      for (const auto& [name, view] : file.tensors()) {
        for (const uint8_t byte : view.data) sum += byte;
      }
      return sum;
    });
    if (!opened.ok()) {
      EXPECT_NE(opened.error().code(), ErrorCode::kInternal) << opened.error().what();
    }
  }
}

}  // namespace
}  // namespace bucketline
