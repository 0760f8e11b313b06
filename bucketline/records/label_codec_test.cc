#include "bucketline/records/label_codec.h"

#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using records_testing::Mutate;
using ::testing::HasSubstr;

void ExpectRoundTrip(const LabelColumn& labels, uint64_t records) {
  CheckLabels(labels, records);
  const LabelColumn back = DecodeLabels(EncodeLabels(labels), records);
  EXPECT_EQ(back.kind, labels.kind);
  EXPECT_EQ(back.classes, labels.classes);
  EXPECT_EQ(back.integers, labels.integers);
  EXPECT_EQ(back.floats, labels.floats);
  EXPECT_EQ(back.width, labels.width);
}

LabelColumn Integers(std::vector<int64_t> values) {
  return {
      .kind = LabelKind::kInteger, .classes = {}, .width = 1, .integers = std::move(values), .floats = {}};
}

LabelColumn Floats(LabelKind kind, size_t width, std::vector<float> values) {
  return {.kind = kind, .classes = {}, .width = width, .integers = {}, .floats = std::move(values)};
}

LabelColumn Classes(size_t classes, size_t records) {
  LabelColumn labels{.kind = LabelKind::kClass, .classes = {}, .width = 1, .integers = {}, .floats = {}};
  for (size_t i = 0; i < classes; ++i) labels.classes.push_back("class " + std::to_string(i));
  for (size_t i = 0; i < records; ++i) labels.integers.push_back(static_cast<int64_t>((i * 7919) % classes));
  if (records > 0) labels.integers.back() = static_cast<int64_t>(classes - 1);
  return labels;
}

TEST(LabelCodec, RoundTripsEveryKind) {
  ExpectRoundTrip({}, 5);
  ExpectRoundTrip(Classes(3, 100), 100);
  ExpectRoundTrip(Integers({0, -1, 127, -128}), 4);
  ExpectRoundTrip(Integers({128, -129, 32767}), 3);
  ExpectRoundTrip(Integers({2147483647, -2147483648}), 2);
  ExpectRoundTrip(Integers({std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}), 2);
  ExpectRoundTrip(Integers({}), 0);
  ExpectRoundTrip(Floats(LabelKind::kFloat, 1, {0.5f, -0.0f, 1e-45f}), 3);
  ExpectRoundTrip(Floats(LabelKind::kVector, 2, {1, 2, 3, 4}), 2);
  ExpectRoundTrip(Floats(LabelKind::kVector, 1, {}), 0);
}

TEST(LabelCodec, ClassesTakeTheFewestBytes) {
  for (const auto& [classes, width] :
       std::vector<std::pair<size_t, size_t>>{{256, 1}, {257, 2}, {65536, 2}, {65537, 4}}) {
    const LabelColumn few = Classes(classes, 0);
    const LabelColumn many = Classes(classes, 1000);
    EXPECT_EQ(EncodeLabels(many).size() - EncodeLabels(few).size(), 1000 * width) << classes;
    ExpectRoundTrip(many, 1000);
  }
}

TEST(LabelCodec, ChecksTheColumn) {
  const auto message = [](const LabelColumn& labels, uint64_t records) {
    return MessageOf(ErrorCode::kInvalidArgument, [&] { CheckLabels(labels, records); });
  };
  EXPECT_THAT(message(Integers({1, 2}), 3), HasSubstr("2 labels for 3 records"));
  EXPECT_THAT(message(Floats(LabelKind::kFloat, 1, {1}), 2), HasSubstr("1 label values for 2 records"));
  EXPECT_THAT(message(Floats(LabelKind::kVector, 2, {1, 2, 3}), 2), HasSubstr("give 2 a record"));
  EXPECT_THAT(message(Floats(LabelKind::kVector, 0, {}), 0), HasSubstr("label values"));
  LabelColumn labels = Classes(2, 2);
  labels.integers[0] = 2;
  EXPECT_THAT(message(labels, 2), HasSubstr("2 classes"));
  labels.integers[0] = -1;
  EXPECT_THAT(message(labels, 2), HasSubstr("2 classes"));
}

TEST(LabelCodec, RefusesWhatNoWriterMakes) {
  const auto message = [](std::string bytes, uint64_t records) {
    return MessageOf(ErrorCode::kCorruptData, [&] { DecodeLabels(bytes, records); });
  };
  EXPECT_THAT(message("", 0), HasSubstr("needed"));
  EXPECT_THAT(message("\x05", 0), HasSubstr("kind 5"));
  EXPECT_THAT(message(std::string("\x00x", 2), 0), HasSubstr("expected"));
  EXPECT_THAT(message(std::string("\x02\x03zzz", 5), 1), HasSubstr("3 bytes each"));
  EXPECT_THAT(message(std::string("\x02\x02zzz", 5), 1), HasSubstr("expected"));
  EXPECT_THAT(message(std::string("\x02\x02zz", 4), 2), HasSubstr("expected"));
  EXPECT_THAT(message(std::string("\x01\x01\x01z\x01\x01", 6), 1), HasSubstr("does not exist"));
  EXPECT_THAT(message(std::string("\x03\x02zzzzzzzz", 10), 1), HasSubstr("label values"));
  EXPECT_THAT(message(std::string("\x04\x00", 2), 0), HasSubstr("label values"));
  EXPECT_THAT(message(std::string("\x04\x01zzzzz", 7), 1), HasSubstr("expected"));
}

TEST(LabelCodec, HostileBytesGiveLabelsOrAnError) {
  std::mt19937_64 random(1);
  const std::string forms[] = {EncodeLabels(Classes(5, 20)),
                               EncodeLabels(Integers(std::vector<int64_t>(20, 300))),
                               EncodeLabels(Floats(LabelKind::kVector, 3, std::vector<float>(60, 1.5f)))};
  for (int i = 0; i < 10000; ++i) {
    try {
      CheckLabels(DecodeLabels(Mutate(forms[random() % 3], random), 20), 20);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kCorruptData) << error.what();
    }
  }
}

TEST(LabelCodec, OneHotVectorsKeepTheirClasses) {
  LabelColumn labels = Floats(LabelKind::kVector, 2, {1, 0, 0, 1});
  labels.classes = {"cat", "dog"};
  ExpectRoundTrip(labels, 2);
  std::string bytes = EncodeLabels(labels);
  bytes[1] = 1;  // fewer classes than values: the rest is read as something else
  EXPECT_THROW(DecodeLabels(bytes, 2), Error);
  labels.classes = {"cat"};
  EXPECT_THAT(MessageOf(ErrorCode::kInvalidArgument, [&] { CheckLabels(labels, 2); }),
              HasSubstr("one-hot labels of 2 values have 1 classes"));
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [&] { DecodeLabels(EncodeLabels(labels), 2); }),
              HasSubstr("one-hot labels of 2 values have 1 classes"));
}

}  // namespace
}  // namespace bucketline
