#include "bucketline/inspect/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/http/loopback_server_test_util.h"
#include "bucketline/inspect/reach_checks.h"
#include "bucketline/inspect/read_checks.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using Status = DoctorCheck::Status;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

DoctorOptions Quick() {
  DoctorOptions options;
  options.small_reads = 20;
  options.patience = std::chrono::seconds(120);
  return options;
}

RuntimeOptions Quiet() {
  RuntimeOptions options;
  options.log = LogToNowhere();
  options.s3.access_key_id = "id";
  options.s3.secret_access_key = "the-secret";
  return options;
}

const DoctorCheck& Find(const DoctorReport& report, std::string_view name) {
  for (const DoctorCheck& check : report.checks) {
    if (check.name == name) return check;
  }
  ADD_FAILURE() << "no check " << name;
  return report.checks.front();
}

std::vector<std::string> Names(const DoctorReport& report) {
  std::vector<std::string> names;
  for (const DoctorCheck& check : report.checks) names.push_back(check.name);
  return names;
}

TEST(DoctorTest, AFolderIsReadAndTimed) {
  testing::TempFolder folder;
  for (int i = 0; i < 3; ++i) folder.Put("images/" + std::to_string(i), std::string(10'000, 'x'));
  folder.Put("images/empty", "");
  std::vector<std::string> seen;
  const DoctorReport report = RunDoctor(folder.path() + "/images/", Quiet(), Quick(),
                                        [&](const DoctorCheck& check) { seen.push_back(check.name); });
  EXPECT_TRUE(report.Healthy());
  EXPECT_THAT(Names(report), ElementsAre("list", "read", "latency", "throughput", "open files", "memory"));
  EXPECT_EQ(seen, Names(report));
  EXPECT_EQ(report.latencies_us.size(), 20u);
  EXPECT_TRUE(std::is_sorted(report.latencies_us.begin(), report.latencies_us.end()));
  EXPECT_GT(report.bytes_per_second, 0);
}

TEST(DoctorTest, AnEmptyFolderSaysWhatToDoAndTheMachineIsLookedAtAllTheSame) {
  testing::TempFolder folder;
  folder.Put("images/empty", "");
  const DoctorReport report = RunDoctor(folder.path() + "/images/", Quiet(), Quick());
  EXPECT_FALSE(report.Healthy());
  EXPECT_EQ(Find(report, "list").status, Status::kFailed);
  EXPECT_THAT(Find(report, "list").advice, HasSubstr("prefix"));
  EXPECT_EQ(Find(report, "read").status, Status::kSkipped);
  EXPECT_EQ(Find(report, "memory").status == Status::kFailed, false);
}

TEST(DoctorTest, AnEndpointThatIsDownIsFoundOutOnceAndQuickly) {
  const ClosedPort port;
  RuntimeOptions runtime = Quiet();
  runtime.s3.endpoint_url = "http://" + port.authority();
  const DoctorReport report = RunDoctor("s3://bucket/", runtime, Quick());
  EXPECT_FALSE(report.Healthy());
  EXPECT_EQ(Find(report, "connection").status, Status::kFailed);
  EXPECT_THAT(Find(report, "connection").value, HasSubstr("127.0.0.1"));
  EXPECT_THAT(Find(report, "connection").advice, HasSubstr("proxy"));
  EXPECT_EQ(Find(report, "list").status, Status::kSkipped);
  EXPECT_THAT(Find(report, "credentials").value, AllOf(HasSubstr("the options"), HasSubstr("id")));
  for (const DoctorCheck& check : report.checks) {
    EXPECT_EQ((check.value + check.advice).find("the-secret"), std::string::npos);
  }
}

TEST(DoctorTest, WrongSettingsAreTheFirstThing) {
  RuntimeOptions runtime = Quiet();
  runtime.s3.endpoint_url = "nonsense";
  const DoctorReport report = RunDoctor("s3://bucket/", runtime, Quick());
  EXPECT_EQ(report.checks.front().name, "settings");
  EXPECT_EQ(report.checks.front().status, Status::kFailed);
}

TEST(DoctorReachTest, NamesHaveAddressesOrAnAdvice) {
  EXPECT_THAT(CheckDns("127.0.0.1:9000").value, HasSubstr("127.0.0.1"));
  EXPECT_THAT(CheckDns("[::1]:9000").value, HasSubstr("::1"));
  const DoctorCheck missing = CheckDns("no-such-host.invalid");
  EXPECT_EQ(missing.status, Status::kFailed);
  EXPECT_THAT(missing.advice, HasSubstr("--region"));
}

TEST(DoctorReachTest, AClockThatIsFarOffIsAWarning) {
  HttpReply reply;
  const WallTime time{std::chrono::seconds(1369353600)};
  EXPECT_THAT(JudgeClock(reply, time).value, HasSubstr("does not tell"));
  reply.head.headers.Add("Date", "Fri, 24 May 2013 00:00:00 GMT");
  EXPECT_EQ(JudgeClock(reply, time).status, Status::kGood);
  EXPECT_THAT(JudgeClock(reply, time + std::chrono::seconds(60)).value, HasSubstr("60 s ahead"));
  EXPECT_EQ(JudgeClock(reply, time + std::chrono::seconds(60)).status, Status::kGood);
  const DoctorCheck behind = JudgeClock(reply, time - std::chrono::minutes(20));
  EXPECT_EQ(behind.status, Status::kWarning);
  EXPECT_THAT(behind.value, HasSubstr("1200 s behind"));
  EXPECT_THAT(behind.advice, HasSubstr("NTP"));
}

TEST(DoctorReadTest, AStoreThatListsAndDoesNotServeIsFoundOut) {
  const std::shared_ptr<ObjectStore> memory = MakeMemoryStore("bucket");
  PutBytes(*memory, "a", "content");
  FaultStore store(memory, [](const StoreCall& call, uint64_t) {
    return call.op == StoreOp::kGet ? Fault::FailBefore(Error(ErrorCode::kPermissionDenied, "access denied"))
                                    : Fault::None();
  });
  std::vector<ObjectInfo> objects;
  EXPECT_EQ(CheckList(store, "", {}, objects).status, Status::kGood);
  ASSERT_EQ(objects.size(), 1u);
  const DoctorCheck read = CheckRead(store, objects[0], {});
  EXPECT_EQ(read.status, Status::kFailed);
  EXPECT_THAT(read.value, HasSubstr("access denied"));
  double speed = 0;
  std::vector<uint64_t> latencies;
  EXPECT_EQ(MeasureThroughput(store, objects, Quick(), {}, speed).status, Status::kFailed);
  EXPECT_EQ(MeasureLatency(store, objects, Quick(), {}, latencies).status, Status::kFailed);
}

}  // namespace
}  // namespace bucketline
