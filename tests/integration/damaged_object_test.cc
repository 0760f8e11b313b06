// Bytes that rot at a real store are found by the checksum that came with them.
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/support/versitygw.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/s3/retry_budget.h"
#include "bucketline/s3/s3_store.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

class DamagedObjectTest : public ::testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    const std::string program = testing::Versitygw::FindProgram();
    if (program.empty()) return testing::SkipOrFailWithout("versitygw", "BUCKETLINE_VERSITYGW");
    server_.emplace(program);
    bucket_ = server_->MakeBucket();
    S3Environment environment;
    environment.transport = transport_.get();
    environment.timer = &timer_;
    environment.retry_budget = &budget_;
    environment.counters = &counters_;
    environment.variables = [](const char* name) -> std::optional<std::string> {
      return std::string_view(name).starts_with("AWS_RE") &&
                     std::string_view(name).find("CHECKSUM") != std::string::npos
                 ? std::optional<std::string>("when_supported")
                 : std::nullopt;
    };
    S3Options options = server_->Options();
    options.multipart_part_size = uint64_t{5} << 20;
    store_ = MakeS3Store(bucket_, options, environment);
  }

  std::optional<testing::Versitygw> server_;
  std::unique_ptr<HttpTransport> transport_ = MakeCurlTransport();
  Timer timer_;
  RetryBudget budget_;
  S3Counters counters_;
  std::string bucket_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_P(DamagedObjectTest, IsAnErrorThatNamesIt) {
  const std::vector<uint8_t> data = testing::RampBytes(GetParam());
  PutBytes(*store_, "folder/k", data);
  const Bytes before = GetBytes(*store_, "folder/k");
  ASSERT_TRUE(std::equal(data.begin(), data.end(), before.span().begin(), before.span().end()));
  {
    std::fstream file(server_->PathOf(bucket_) / "folder/k", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(data.size() / 2));
    file.put(static_cast<char>(data[data.size() / 2] ^ 1));
    ASSERT_TRUE(file.good());
  }
  const auto result = Catch([&] { return GetBytes(*store_, "folder/k"); });
  ASSERT_FALSE(result) << "a flipped bit was not noticed";
  EXPECT_EQ(result.error().code(), ErrorCode::kCorruptData);
  EXPECT_THAT(result.error().what(), ::testing::HasSubstr("/folder/k"));
  EXPECT_EQ(counters_.retries.value(), 2u);
}

// One PUT, and one of three parts.
INSTANTIATE_TEST_SUITE_P(Sizes, DamagedObjectTest, ::testing::Values(1000, 12'000'000));

}  // namespace
}  // namespace bucketline
