// PriceTable: what a store charges for requests, bytes and room.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

// List prices; those of an account, a region or another store come from a file.
struct PriceTable {
  std::string name;      // what is priced, for people
  std::string date;      // when these were the prices
  std::string currency;  // "USD"
  double get_per_1000 = 0;
  double put_per_1000 = 0;
  double list_per_1000 = 0;
  double read_per_gb = 0;  // 10^9 bytes, to where the training runs
  double storage_per_gb_month = 0;

  // {"name": ..., "date": ..., "currency": ..., "get_per_1000": ..., ...}: all fields. Throws kInvalidArgument naming a
  // field that is missing, unknown, or no price.
  static PriceTable Parse(std::string_view json);

  // "s3-standard" or "s3-express", both of us-east-1. Throws kInvalidArgument naming those that there are.
  static const PriceTable& Find(std::string_view name);
};

}  // namespace bucketline
