#include "bucketline/inspect/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

const PriceTable kRound{.name = "round",
                        .date = "2000-01-01",
                        .currency = "EUR",
                        .get_per_1000 = 1,
                        .put_per_1000 = 10,
                        .list_per_1000 = 100,
                        .read_per_gb = 2,
                        .storage_per_gb_month = 3};

// 10,000 records of 100 KiB, near enough a gigabyte.
CostFacts Facts() {
  return {.records = 10'000,
          .bytes = 10'000 * 100_KiB,
          .listed = 10'001,
          .epochs = 5,
          .shard_size = 100_MiB,
          .first_byte_seconds = 0.1,
          .requests_in_flight = 100,
          .bytes_per_second = 1e12};
}

TEST(EstimateCosts, RawIsARequestForEachRecordAndEpoch) {
  const CostEstimate raw = EstimateCosts(Facts(), kRound).at(0);
  EXPECT_EQ(raw.way, "raw");
  EXPECT_EQ(raw.list_requests, 11u);
  EXPECT_EQ(raw.get_requests, 50'000u);
  EXPECT_EQ(raw.put_requests, 0u);
  EXPECT_EQ(raw.bytes, 5 * 10'000 * 100_KiB);
  EXPECT_DOUBLE_EQ(raw.seconds, 50.0);  // 50,000 answers of 0.1 s, a hundred at a time
  EXPECT_DOUBLE_EQ(raw.requests_money, 50 + 1.1);
  EXPECT_DOUBLE_EQ(raw.bytes_money, 2 * 5.12);
  EXPECT_DOUBLE_EQ(raw.storage_money_month, 0);
}

TEST(EstimateCosts, ASlowNetworkIsWhatTakesTheTime) {
  CostFacts facts = Facts();
  facts.bytes_per_second = 1.024e6;
  EXPECT_DOUBLE_EQ(EstimateCosts(facts, kRound).at(0).seconds, 5'000);
}

TEST(EstimateCosts, PackingCostsOnceAndSavesRequestsOnlyToThoseWhoReadInOrder) {
  const std::vector<CostEstimate> all = EstimateCosts(Facts(), kRound);
  const uint64_t pieces = 123, shards = 10;  // of 1,024,000,000 bytes in 8 and 100 MiB
  EXPECT_EQ(all.at(1).way, "packed");
  EXPECT_EQ(all.at(1).get_requests, 60'000 + pieces);
  EXPECT_EQ(all.at(1).put_requests, pieces + 3 * shards + 2);
  EXPECT_EQ(all.at(1).bytes, 7 * Facts().bytes);
  EXPECT_EQ(all.at(2).way, "packed-in-order");
  EXPECT_EQ(all.at(2).get_requests, 10'000 + pieces + 5 * 977);  // of 1 MiB
  EXPECT_DOUBLE_EQ(all.at(2).storage_money_month, 3 * 1.024);
  EXPECT_LT(all.at(2).money(), all.at(0).money());
}

TEST(EstimateCosts, ACacheAnswersItsShareOfLaterEpochs) {
  CostFacts facts = Facts();
  EXPECT_EQ(EstimateCosts(facts, kRound).at(3).get_requests, 10'000u);
  facts.cache_size = facts.bytes / 4;
  const CostEstimate quarter = EstimateCosts(facts, kRound).at(3);
  EXPECT_EQ(quarter.get_requests, 10'000 + 4 * 7'500u);
  EXPECT_EQ(quarter.bytes, facts.bytes * 4);
  facts.cache_size = facts.bytes * 2;
  EXPECT_EQ(EstimateCosts(facts, kRound).at(3).bytes, facts.bytes);
}

TEST(EstimateCosts, LargeRecordsAreReadInPieces) {
  CostFacts facts = Facts();
  facts.records = 10;
  EXPECT_EQ(EstimateCosts(facts, kRound).at(0).get_requests, 5 * 10 * 13u);  // 102,400,000 bytes in 8 MiB
}

TEST(EstimateCosts, AManifestIsOpenedWithoutListing) {
  CostFacts facts = Facts();
  facts.listed = 0;
  EXPECT_EQ(EstimateCosts(facts, kRound).at(0).list_requests, 0u);
}

constexpr std::string_view kTable =
    R"({"name": "mine", "date": "2026-01-15", "currency": "USD", "get_per_1000": 0.1, "put_per_1000": 0.2,)"
    R"( "list_per_1000": 0.3, "read_per_gb": 0.4, "storage_per_gb_month": 0.5})";

TEST(PriceTable, IsReadFromJson) {
  const PriceTable table = PriceTable::Parse(kTable);
  EXPECT_EQ(table.name + table.date + table.currency, "mine2026-01-15USD");
  EXPECT_EQ(table.get_per_1000, 0.1);
  EXPECT_EQ(table.put_per_1000, 0.2);
  EXPECT_EQ(table.list_per_1000, 0.3);
  EXPECT_EQ(table.read_per_gb, 0.4);
  EXPECT_EQ(table.storage_per_gb_month, 0.5);
}

TEST(PriceTable, WhatIsWrongIsNamed) {
  const auto fails = [](std::string from, std::string to, std::string says) {
    std::string text(kTable);
    text.replace(text.find(from), from.size(), to);
    try {
      PriceTable::Parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.message(), HasSubstr(says));
    }
  };
  fails("{", "[{", "is a JSON object");
  fails("\"date\"", "\"day\"", "needs the text \"date\"");
  fails("\"put_per_1000\"", "\"put\"", "needs \"put_per_1000\"");
  fails("0.3", "-0.3", "\"list_per_1000\" is -0.3");
  fails("0.3", "\"0.3\"", "\"list_per_1000\" is \"0.3\"");
  fails("}", ", \"egress\": 1}", "has no \"egress\"");
}

TEST(PriceTable, ThoseThatAreKnownHaveADate) {
  for (const char* name : {"s3-standard", "s3-express"}) {
    EXPECT_EQ(PriceTable::Find(name).date.substr(0, 2), "20");
    EXPECT_GT(PriceTable::Find(name).get_per_1000, 0);
  }
  EXPECT_THROW(PriceTable::Find("s3-glacier"), Error);
}

}  // namespace
}  // namespace bucketline
