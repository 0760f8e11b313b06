// What is sent of a channel's objects: framed, inflated, from manifests.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/channel/pipe_channel.h"
#include "bucketline/channel/pipe_testing.h"
#include "bucketline/records/gzip_testing.h"
#include "bucketline/records/recordio.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::Gzip;
using ::testing::HasSubstr;
using testing::PipeReader;
using testing::PipeSpec;

class PipeFormatsTest : public testing::PipeChannelTest {
 protected:
  static std::vector<std::string> Records(const std::string& stream) {
    std::vector<std::string> records;
    RecordIoDecoder decoder;
    decoder.Feed(
        {reinterpret_cast<const uint8_t*>(stream.data()), stream.size()},
        [&](std::span<const uint8_t> record) { records.emplace_back(record.begin(), record.end()); });
    decoder.Finish();
    return records;
  }
};

TEST_F(PipeFormatsTest, RecordIoMakesEachObjectARecord) {
  const std::string large = testing::Ramp(3'000'000, 1);  // of several ranges
  bucket_.Put("p/a", "1");
  bucket_.Put("p/b", "");
  bucket_.Put("p/c", large);
  ChannelSpec spec = PipeSpec();
  spec.wrapper = ChannelWrapper::kRecordIo;
  const auto channel = Serve(spec, {.memory = 1 << 20});
  const std::string stream = ReadEpoch(0);
  EXPECT_EQ(stream.substr(0, 20), std::string("\x0a\x23\xd7\xce\x01\0\0\0"
                                              "1\0\0\0"
                                              "\x0a\x23\xd7\xce\0\0\0\0",
                                              20));
  EXPECT_THAT(Records(stream), ElementsAre("1", "", large));
}

TEST_F(PipeFormatsTest, GzipIsInflatedAsItStreams) {
  const std::string large = testing::Ramp(3'000'000, 1);
  bucket_.Put("p/a", Gzip("one") + Gzip("two"));
  bucket_.Put("p/b", "");
  bucket_.Put("p/c", Gzip(large));
  ChannelSpec spec = PipeSpec();
  spec.compression = ChannelCompression::kGzip;
  const auto channel = Serve(spec, {.memory = 1 << 20});
  EXPECT_EQ(ReadEpoch(0), "onetwo" + large);
  EXPECT_EQ(ReadEpoch(1), "onetwo" + large);
  spec.wrapper = ChannelWrapper::kRecordIo;
  spec.name = "wrapped";
  const auto wrapped = Serve(spec, {.memory = 64 << 20});
  EXPECT_THAT(Records(PipeReader(folder_.Path("wrapped_0"), PipeReader::Kind::kBlocking).ReadAll()),
              ElementsAre("onetwo", "", large));
}

TEST_F(PipeFormatsTest, WhatDoesNotInflateIsAFailureThatNamesTheObject) {
  bucket_.Put("p/a", Gzip("fine"));
  bucket_.Put("p/b", "plain text");
  ChannelSpec spec = PipeSpec();
  spec.compression = ChannelCompression::kGzip;
  const auto channel = Serve(spec);
  PipeReader reader(Path(0), PipeReader::Kind::kNonBlocking);
  const std::vector<Error> failures = failures_.Await();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].code(), ErrorCode::kCorruptData);
  EXPECT_EQ(failures[0].uri(), "mem://data/p/b");
  EXPECT_FALSE(testing::PollFor(reader.fd(), POLLHUP, std::chrono::milliseconds(0)));
}

TEST_F(PipeFormatsTest, ARecordThatInflatesToMoreThanTheMemoryIsAFailure) {
  bucket_.Put("p/a", Gzip(std::string(1'000'000, 'x')));
  ChannelSpec spec = PipeSpec();
  spec.compression = ChannelCompression::kGzip;
  spec.wrapper = ChannelWrapper::kRecordIo;
  const auto channel = Serve(spec, {.memory = 1 << 20});
  const PipeReader reader(Path(0), PipeReader::Kind::kNonBlocking);
  const std::vector<Error> failures = failures_.Await();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(failures[0].uri(), "mem://data/p/a");
  EXPECT_THAT(failures[0].message(), AllOf(HasSubstr("224.0 KiB"), HasSubstr("more memory")));
}

TEST_F(PipeFormatsTest, AManifestIsSentInItsOrder) {
  for (const char* key : {"p/a", "p/b", "p/c"}) bucket_.Put(key, key);
  bucket_.Put("m", R"([{"prefix": "mem://data/p/"}, "c", "a", "b", "a"])");
  ChannelSpec spec = PipeSpec("mem://data/m");
  spec.data = ChannelData::kManifestFile;
  const auto channel = Serve(spec);
  EXPECT_EQ(ReadEpoch(0), "p/cp/ap/bp/a");
}

TEST_F(PipeFormatsTest, AttributesAreSentInTheirOrderEachAsARecord) {
  bucket_.Put("1.jpg", Gzip("one"));
  bucket_.Put("2.jpg", Gzip("two"));
  bucket_.Put("m",
              "{\"source-ref\": \"mem://data/1.jpg\", \"label\": 1}\n"
              "{\"source-ref\": \"mem://data/2.jpg\", \"label\": \"0\"}\n");
  ChannelSpec spec = PipeSpec("mem://data/m");
  spec.data = ChannelData::kAugmentedManifestFile;
  spec.attributes = {"source-ref", "label"};
  spec.compression = ChannelCompression::kGzip;
  const auto plain = Serve(spec);
  EXPECT_EQ(ReadEpoch(0), "one1two0");
  spec.name = "wrapped";
  spec.wrapper = ChannelWrapper::kRecordIo;
  const auto wrapped = Serve(spec);
  EXPECT_THAT(Records(PipeReader(folder_.Path("wrapped_0"), PipeReader::Kind::kBlocking).ReadAll()),
              ElementsAre("one", "1", "two", "0"));
}

}  // namespace
}  // namespace bucketline
