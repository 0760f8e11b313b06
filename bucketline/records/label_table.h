// Label tables: a CSV, JSON or JSON lines object as rows of a key and its label.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bucketline {

// What a table says of one key. CSV knows text only; JSON's true and false are 1 and 0.
using LabelValue = std::variant<std::string, int64_t, double, std::vector<double>>;

struct LabelRow {
  std::string key;
  LabelValue value;
  uint64_t place = 0;  // its line, or, in a .json, its number from 1
};

struct LabelTable {
  std::string uri;
  std::string_view place_name;  // "line" or "entry"
  bool typed = false;           // JSON: text is text. CSV: text may be a number.
  std::vector<LabelRow> rows;

  // "line 3"
  std::string Place(const LabelRow& row) const;
};

// Reads `bytes` by the ending of `uri`. A .csv has a header line and columns `key_field` and `label_field`;
// each line of a .jsonl and each entry of a list in a .json is an object with those fields; else a .json is
// {key: label}, where a key that stands twice gives two rows. Throws kInvalidArgument with `uri`, naming the
// place and what is wrong.
LabelTable ReadLabelTable(const std::string& uri, std::string_view bytes, const std::string& key_field,
                          const std::string& label_field);

}  // namespace bucketline
