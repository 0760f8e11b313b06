#include "bucketline/inspect/prices.h"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

struct PriceField {
  const char* name;
  double PriceTable::* price;
};
constexpr std::array<PriceField, 5> kPrices = {{
    {"get_per_1000", &PriceTable::get_per_1000},
    {"put_per_1000", &PriceTable::put_per_1000},
    {"list_per_1000", &PriceTable::list_per_1000},
    {"read_per_gb", &PriceTable::read_per_gb},
    {"storage_per_gb_month", &PriceTable::storage_per_gb_month},
}};
struct TextField {
  const char* name;
  std::string PriceTable::* text;
};
constexpr std::array<TextField, 3> kTexts = {{
    {"name", &PriceTable::name},
    {"date", &PriceTable::date},
    {"currency", &PriceTable::currency},
}};

[[noreturn]] void Fail(const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, "a table of prices " + what);
}

}  // namespace

PriceTable PriceTable::Parse(std::string_view json) {
  const nlohmann::json object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object()) Fail("is a JSON object");
  PriceTable table;
  for (const auto& [name, text] : kTexts) {
    if (!object.contains(name) || !object[name].is_string()) Fail(fmt::format("needs the text \"{}\"", name));
    table.*text = object[name].get<std::string>();
  }
  for (const auto& [name, price] : kPrices) {
    if (!object.contains(name)) Fail(fmt::format("needs \"{}\", a number", name));
    const nlohmann::json& value = object[name];
    if (!value.is_number() || !(value.get<double>() >= 0)) {
      Fail(fmt::format("has prices of at least 0, and \"{}\" is {}", name, value.dump()));
    }
    table.*price = value.get<double>();
  }
  if (object.size() > kTexts.size() + kPrices.size()) {
    for (const auto& [name, value] : object.items()) {
      bool known = false;
      for (const PriceField& field : kPrices) known = known || name == field.name;
      for (const TextField& field : kTexts) known = known || name == field.name;
      if (!known) Fail(fmt::format("has no \"{}\"", name));
    }
  }
  return table;
}

const PriceTable& PriceTable::Find(std::string_view name) {
  static const PriceTable kStandard{.name = "S3 Standard, us-east-1",
                                    .date = "2026-11",
                                    .currency = "USD",
                                    .get_per_1000 = 0.0004,
                                    .put_per_1000 = 0.005,
                                    .list_per_1000 = 0.005,
                                    .read_per_gb = 0,
                                    .storage_per_gb_month = 0.023};
  static const PriceTable kExpress{.name = "S3 Express One Zone, us-east-1",
                                   .date = "2026-11",
                                   .currency = "USD",
                                   .get_per_1000 = 0.00003,
                                   .put_per_1000 = 0.00113,
                                   .list_per_1000 = 0.00113,
                                   .read_per_gb = 0.0006,
                                   .storage_per_gb_month = 0.11};
  if (name == "s3-standard") return kStandard;
  if (name == "s3-express") return kExpress;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("there are prices of s3-standard and s3-express, not of \"{}\"; others come from a "
                          ".json file",
                          name));
}

}  // namespace bucketline
