#include "bucketline/dataset/pipe_records.h"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/pipe_source.h"
#include "bucketline/dataset/pipe_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using testing::Framed;
using ::testing::HasSubstr;
using testing::JobFolder;
using testing::PipeWriter;

constexpr std::chrono::seconds kLong{120};

std::shared_ptr<uint8_t[]> Allocate(size_t bytes) { return std::shared_ptr<uint8_t[]>(new uint8_t[bytes]); }

std::string Ramp(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

// A part of a record, by the format's own words.
std::string Part(std::string_view bytes, RecordIoFlag flag) {
  const auto head = EncodeRecordIoHead({.flag = flag, .length = static_cast<uint32_t>(bytes.size())});
  return std::string(head.begin(), head.end()) + std::string(bytes) +
         std::string((4 - bytes.size() % 4) % 4, 'p');
}

// Reads one epoch whose bytes are these.
class Reading {
 public:
  explicit Reading(std::string bytes)
      : writer_(job_.Train(), {std::move(bytes)}), source_(job_.Train(), 0, kLong, {}) {}

  PipeRecords& records() { return source_.records(); }
  const std::string& path() const { return source_.path(); }
  std::vector<std::string> All() {
    std::vector<std::string> all;
    while (const std::optional<Bytes> record = records().Next(Allocate)) all.push_back(record->ToString());
    return all;
  }

 private:
  const JobFolder job_;
  const PipeWriter writer_;
  PipeSource source_;
};

TEST(PipeRecords, AreWhatWasFramed) {
  const std::vector<std::string> records = {"a", "", Ramp(65'536), "bcd", Ramp(300'001), Ramp(65'527), "e"};
  std::string bytes;
  for (const std::string& record : records) bytes += Framed(record);
  Reading reading(bytes);
  EXPECT_EQ(reading.All(), records);
  EXPECT_EQ(reading.records().records(), records.size());
}

TEST(PipeRecords, ThatCameInPartsAreWhole) {
  Reading reading(Part("abcd", RecordIoFlag::kFirst) + Part("efgh", RecordIoFlag::kMiddle) +
                  Part("i", RecordIoFlag::kLast) + Framed("next"));
  EXPECT_THAT(reading.All(), ElementsAre("abcdefghi", "next"));
}

TEST(PipeRecords, CanBeSkipped) {
  Reading reading(Framed(Ramp(200'000)) + Part("abcd", RecordIoFlag::kFirst) +
                  Part("e", RecordIoFlag::kLast) + Framed("kept"));
  EXPECT_TRUE(reading.records().Skip());
  EXPECT_TRUE(reading.records().Skip());
  EXPECT_THAT(reading.All(), ElementsAre("kept"));
  EXPECT_FALSE(reading.records().Skip());
}

TEST(PipeRecords, ThatEndEarlyAreAnErrorWhereverThatIs) {
  const std::string whole = Framed("first") + Framed("second");
  const size_t first = Framed("first").size();
  for (size_t length = first + 1; length < whole.size(); ++length) {
    Reading reading(whole.substr(0, length));
    const Error error = ErrorOf([&] { reading.All(); });
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData) << length;
    EXPECT_EQ(error.uri(), reading.path());
    EXPECT_THAT(error.what(), HasSubstr("in the middle of record 1, at byte " + std::to_string(length)));
  }
}

TEST(PipeRecords, OfObjectsWithoutAWrapperSayHowToAskForOne) {
  Reading reading("\xff\xd8\xff\xe0 and more of a JPEG");
  const Error error = ErrorOf([&] { reading.All(); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), HasSubstr("RecordWrapperType=RecordIO"));
}

TEST(PipeRecords, ThatBeginWrongLaterSayWhere) {
  Reading reading(Framed("abcd") + "not a record");
  const Error error = ErrorOf([&] { reading.All(); });
  EXPECT_THAT(error.what(), HasSubstr("after 1 records"));
  EXPECT_THAT(error.what(), HasSubstr("at byte 12"));
}

TEST(PipeRecords, WhosePartsAreOutOfOrderAreAnError) {
  for (const std::string& bytes : {Part("abcd", RecordIoFlag::kMiddle), Part("a", RecordIoFlag::kLast),
                                   Part("abcd", RecordIoFlag::kFirst) + Framed("b")}) {
    Reading reading(bytes);
    EXPECT_THAT(ErrorOf([&] { reading.All(); }).what(), HasSubstr("out of order"));
  }
}

TEST(PipeSource, GoesOnWhereTheStateStands) {
  JobFolder job;
  job.folder().Put("pipe_state/.train-pipe_mode-state", "2");
  const PipeWriter writer(job.Train(), {Framed("two")}, 2);
  PipeSource source(job.Train(), 0, kLong, {});
  EXPECT_EQ(source.number(), 2u);
  EXPECT_EQ(PipeState(job.Train()).Next(), 3u);
}

TEST(PipeSource, DropsTheFifosBeforeItsEpochUnread) {
  const JobFolder job;
  const PipeWriter writer(job.Train(), {Framed(Ramp(1'000'000)), "", Framed("two")});
  PipeSource source(job.Train(), 2, kLong, {});
  EXPECT_EQ(source.number(), 2u);
  EXPECT_EQ(source.records().Next(Allocate)->ToString(), "two");
}

// A writer that had not opened it yet would wait for ever for the next reader.
TEST(PipeSource, LeavesAFifoForTheNextWhileNobodyHasWritten) {
  const JobFolder job;
  ASSERT_EQ(mkfifo(job.Train().Fifo(0).c_str(), 0600), 0);
  EXPECT_EQ(ErrorOf([&] { PipeSource(job.Train(), 0, std::chrono::milliseconds(20), {}); }).code(),
            ErrorCode::kTimeout);
  EXPECT_EQ(PipeState(job.Train()).Next(), 0u);
}

}  // namespace
}  // namespace bucketline
