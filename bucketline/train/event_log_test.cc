#include "bucketline/train/event_log.h"

#include <chrono>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/train/event_file.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// The frames of a file, each with whole CRCs.
std::vector<std::string> Records(std::string_view file) {
  std::vector<std::string> records;
  while (!file.empty()) {
    uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<uint8_t>(file[static_cast<size_t>(i)]);
    const std::string_view data = file.substr(12, length);
    std::string frame;
    AppendRecord(data, frame);
    EXPECT_EQ(file.substr(0, frame.size()), frame);
    records.emplace_back(data);
    file.remove_prefix(frame.size());
  }
  return records;
}

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() : store_(MakeMemoryStore("e")), clock_(WallTime(std::chrono::seconds(1'700'000'000))) {
    runtime_.AddStore("e", store_);
  }

  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    for (const ObjectInfo& object : ListAll(*store_, "")) keys.push_back(object.key);
    return keys;
  }

  static constexpr double kStart = 1.7e9;
  Runtime runtime_;
  std::shared_ptr<ObjectStore> store_;
  ManualClock clock_;
};

TEST_F(EventLogTest, EachFlushIsAFileOfItsOwn) {
  EventLog log(runtime_, "mem://e/run", 5, clock_);
  log.Add("loss", 6, 0.5);
  log.Flush();
  log.Add("loss", 7, 0.25);
  log.Close();
  EXPECT_THAT(Keys(), ElementsAre("run/events.out.tfevents.1700000000.000000.000000",
                                  "run/events.out.tfevents.1700000000.000000.000001"));
  EXPECT_THAT(Records(GetBytes(*store_, Keys()[0]).view()),
              ElementsAre(FileVersionEvent(kStart), SessionStartEvent(kStart, 5),
                          ScalarEvent(kStart, 6, "loss", 0.5f)));
  EXPECT_THAT(Records(GetBytes(*store_, Keys()[1]).view()),
              ElementsAre(FileVersionEvent(kStart), ScalarEvent(kStart, 7, "loss", 0.25f)));
}

TEST_F(EventLogTest, WhatIsOldIsWrittenByTheNextEvent) {
  EventLog log(runtime_, "mem://e/run/", 0, clock_);
  log.Add("loss", 1, 1);
  clock_.Advance(EventLog::kFlushPeriod - std::chrono::milliseconds(1));
  log.Add("loss", 2, 1);
  log.Close();
  EXPECT_THAT(Keys(), SizeIs(1));  // by Close alone
  log.Add("loss", 3, 1);
  clock_.Advance(EventLog::kFlushPeriod);
  log.Add("loss", 4, 1);  // flushes
  log.Add("loss", 5, 1);
  log.Close();
  EXPECT_THAT(Keys(), SizeIs(3));
}

TEST_F(EventLogTest, ManyEventsDoNotPileUp) {
  EventLog log(runtime_, "mem://e/run/", 0, clock_);
  for (uint64_t step = 0; step < 60'000; ++step) log.Add("loss", step, 1);
  log.Close();
  EXPECT_GE(Keys().size(), 2u);
  size_t events = 0;
  for (const std::string& key : Keys()) {
    const Bytes file = GetBytes(*store_, key);
    EXPECT_LE(file.size(), EventLog::kFlushBytes + 200);
    events += Records(file.view()).size() - 1;
  }
  EXPECT_EQ(events, 60'000u + 1);
}

TEST_F(EventLogTest, TheDestructorWritesTheRest) {
  {
    EventLog(runtime_, "mem://e/run/", 0, clock_).Add("loss", 1, 1);
  }
  EXPECT_THAT(Keys(), SizeIs(1));
}

TEST_F(EventLogTest, AWriteThatFailsIsThrownByTheNextCall) {
  EventLog log(runtime_, "/proc/no/such/folder", 0, clock_);
  log.Flush();
  try {
    log.Add("loss", 1, 1);  // unless the write has not failed yet
    log.Close();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.uri(), HasSubstr("/proc/no/such/folder"));
  }
}

}  // namespace
}  // namespace bucketline
