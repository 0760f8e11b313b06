#include "bucketline/records/gzip_inflater.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/records/gzip_testing.h"

namespace bucketline {
namespace {

using testing::Gzip;
using ::testing::HasSubstr;

template <typename Call>
Error ErrorOf(Call call) {
  const Result<void> done = Catch(call);
  return done.ok() ? Error(ErrorCode::kInternal, "no error was thrown") : done.error();
}

std::string Inflate(std::string_view stream, size_t step = SIZE_MAX) {
  std::string text;
  GzipInflater inflater;
  while (!stream.empty()) {
    const std::string_view now = stream.substr(0, step);
    inflater.Feed({reinterpret_cast<const uint8_t*>(now.data()), now.size()},
                  [&](std::span<const uint8_t> bytes) {
                    EXPECT_LE(bytes.size(), GzipInflater::kPiece);
                    text.append(bytes.begin(), bytes.end());
                  });
    stream.remove_prefix(now.size());
  }
  inflater.Finish();
  return text;
}

TEST(GzipInflater, GivesWhatWasCompressedHoweverItComes) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * i);
  for (const size_t step : {1, 7, 1000, 1 << 20}) EXPECT_EQ(Inflate(Gzip(text), step), text);
  EXPECT_EQ(Inflate(Gzip(std::string(2'000'000, 'z'))), std::string(2'000'000, 'z'));  // of few bytes, many
  EXPECT_EQ(Inflate(Gzip("")), "");
  EXPECT_EQ(Inflate(""), "");
}

TEST(GzipInflater, MembersAndPaddingMakeOneStream) {
  const std::string stream = Gzip("one") + Gzip("") + Gzip("two") + std::string(600, '\0');
  for (const size_t step : {1, 5, 1 << 20}) EXPECT_EQ(Inflate(stream, step), "onetwo");
}

TEST(GzipInflater, BytesThatAreNoGzipAreAnError) {
  for (const std::string& stream :
       {std::string("plain"), Gzip("one") + "junk", Gzip("one") + std::string(1, '\0') + Gzip("two"),
        std::string(10, '\0')}) {
    const Error error = ErrorOf([&] { Inflate(stream); });
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    EXPECT_THAT(error.message(), HasSubstr("gzip"));
  }
}

TEST(GzipInflater, EveryByteThatIsMissingOrWrongIsNoticed) {
  const std::string stream = Gzip("some text that was compressed");
  for (size_t size = 1; size < stream.size(); ++size) {
    EXPECT_THAT(ErrorOf([&] { Inflate(stream.substr(0, size)); }).message(), HasSubstr("ends before"));
  }
  for (size_t i = stream.size() - 8; i < stream.size(); ++i) {  // checksum and length
    std::string wrong = stream;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_EQ(ErrorOf([&] { Inflate(wrong); }).code(), ErrorCode::kCorruptData);
  }
}

TEST(GzipInflater, ResetForgetsWhatWasNotFinished) {
  GzipInflater inflater;
  const std::string stream = Gzip("text");
  const auto feed = [&](std::string_view bytes) {
    std::string text;
    inflater.Feed({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                  [&](std::span<const uint8_t> out) { text.append(out.begin(), out.end()); });
    return text;
  };
  feed(std::string_view(stream).substr(0, 12));
  inflater.Reset();
  inflater.Finish();
  EXPECT_EQ(feed(stream), "text");
  feed(std::string(1, '\0'));
  inflater.Reset();
  EXPECT_EQ(feed(stream), "text");
}

}  // namespace
}  // namespace bucketline
