#include "bucketline/http/call_deadlines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Optional;

constexpr SteadyTime kStart{seconds(1000)};
constexpr HttpDeadlines kLimits{
    .connect = seconds(1), .first_byte = seconds(4), .stall = milliseconds(1500), .total = seconds(60)};

SteadyTime At(Duration since_start) { return kStart + since_start; }

TEST(CallDeadlines, ConnectCountsFromTheStart) {
  const CallDeadlines deadlines(kLimits, kStart);
  EXPECT_EQ(deadlines.Next(), At(seconds(1)));
  EXPECT_EQ(deadlines.Expired(At(milliseconds(999))), std::nullopt);
  EXPECT_THAT(deadlines.Expired(At(seconds(1))),
              Optional(HasSubstr("no connection within 1s (the connect deadline)")));
}

TEST(CallDeadlines, FirstByteCountsFromTheStartWithoutABody) {
  CallDeadlines deadlines(kLimits, kStart);
  deadlines.Connected(At(milliseconds(900)), /*has_body=*/false);
  EXPECT_EQ(deadlines.Next(), At(seconds(4)));
  EXPECT_THAT(deadlines.Expired(At(seconds(4))), Optional(HasSubstr("within 4s (the first_byte deadline)")));
}

TEST(CallDeadlines, FirstByteCountsFromTheLastByteOfABody) {
  CallDeadlines deadlines(kLimits, kStart);
  deadlines.Connected(At(milliseconds(500)), /*has_body=*/true);
  EXPECT_EQ(deadlines.Next(), At(seconds(2)));
  deadlines.SentBytes(At(seconds(1)));
  EXPECT_EQ(deadlines.Next(), At(milliseconds(2500)));
  EXPECT_THAT(deadlines.Expired(At(milliseconds(2500))),
              Optional(HasSubstr("sent for 1500ms (the stall deadline)")));
  deadlines.SentAll(At(seconds(10)));
  EXPECT_EQ(deadlines.Next(), At(seconds(14)));
}

TEST(CallDeadlines, StallGuardsTheResponsesBody) {
  CallDeadlines deadlines(kLimits, kStart);
  deadlines.Connected(kStart, false);
  deadlines.HeadArrived(At(seconds(1)));
  EXPECT_EQ(deadlines.Next(), At(milliseconds(2500)));
  deadlines.ReceivedBytes(At(seconds(2)));
  EXPECT_EQ(deadlines.Expired(At(milliseconds(3499))), std::nullopt);
  EXPECT_THAT(deadlines.Expired(At(milliseconds(3500))),
              Optional(HasSubstr("came for 1500ms (the stall deadline)")));
}

TEST(CallDeadlines, AnEarlyAnswerDoesNotStopTheSendingFromCounting) {
  CallDeadlines deadlines(kLimits, kStart);
  deadlines.Connected(kStart, true);
  deadlines.HeadArrived(At(seconds(1)));
  deadlines.SentBytes(At(seconds(2)));
  EXPECT_EQ(deadlines.Next(), At(milliseconds(3500)));
  deadlines.SentAll(At(seconds(3)));  // must not turn back to waiting for the head
  EXPECT_THAT(deadlines.Expired(At(seconds(30))), Optional(HasSubstr("stall")));
}

TEST(CallDeadlines, ProgressDoesNotMoveTheTotal) {
  CallDeadlines deadlines(kLimits, kStart);
  deadlines.Connected(kStart, false);
  deadlines.HeadArrived(kStart);
  deadlines.ReceivedBytes(At(milliseconds(59'999)));
  EXPECT_EQ(deadlines.Next(), At(seconds(60)));
  EXPECT_THAT(deadlines.Expired(At(seconds(60))),
              Optional(HasSubstr("not complete within 60s (the total deadline)")));
}

TEST(CallDeadlines, ZeroMeansNone) {
  CallDeadlines deadlines({Duration(0), Duration(0), Duration(0), Duration(0)}, kStart);
  EXPECT_EQ(deadlines.Next(), SteadyTime::max());
  deadlines.Connected(kStart, true);
  deadlines.SentAll(kStart);
  EXPECT_EQ(deadlines.Next(), SteadyTime::max());
  deadlines.HeadArrived(kStart);
  EXPECT_EQ(deadlines.Next(), SteadyTime::max());
  EXPECT_EQ(deadlines.Expired(At(std::chrono::hours(1000))), std::nullopt);
}

TEST(CallDeadlines, ALimitBeyondTimeIsNone) {
  HttpDeadlines limits = kLimits;
  limits.connect = limits.total = Duration::max();
  EXPECT_EQ(CallDeadlines(limits, kStart).Next(), SteadyTime::max());
}

}  // namespace
}  // namespace bucketline
