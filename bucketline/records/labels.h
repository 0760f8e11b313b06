// Labels: how a record gets its label.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/manifest.h"

namespace bucketline {

// A rule; a value. The forms that need an object are given its bytes at Resolve.
class Labels {
 public:
  static Labels None();
  // The first path component below the prefix: "train/cat/1.jpg" below "train/" is "cat".
  static Labels Folder();
  // The last folder before the name.
  static Labels Parent();
  // A table object (.csv with a header line, .json, .jsonl) at `uri`. `key_field` and `label_field` name its
  // columns; a .json is {key: label} or a list of objects. Keys in the table are whole URIs, keys, or keys
  // relative to the prefix: one form for the whole table, checked.
  static Labels Table(std::string uri, std::string key_field = "file", std::string label_field = "label");

  Labels& Classes(std::vector<std::string> classes);  // fixes the order; an unknown label is an error

  bool is_none() const { return form_ == Form::kNone; }
  // The table that Resolve needs; "" when none.
  const std::string& table_uri() const { return table_uri_; }

  // One label per record of `manifest`, whose keys lie below `prefix` (the key part of its source). String
  // labels become classes (sorted bytewise unless given), integers kInteger, floats kFloat, lists of equal
  // length kVector. JSON says which is which (true and false are 1 and 0; integers beside floats are floats).
  // In CSV the labels of the dataset's records decide: all integers kInteger, all numbers kFloat, else
  // classes. With Classes() every label is taken as text. Rows for keys that the dataset does not have are
  // passed over. Throws kInvalidArgument naming a key without a label (and how many there are), a missing
  // column (and those there are), a line that does not parse (and its number), a key twice with different
  // labels, ragged lists, a number that is not a finite float, a class that was not given, a key without a
  // folder, mixed forms of keys, a table of which no key is in the dataset.
  LabelColumn Resolve(const Manifest& manifest, std::string_view prefix,
                      std::string_view table_bytes = {}) const;

 private:
  enum class Form { kNone, kFolder, kParent, kTable };
  Form form_ = Form::kNone;
  std::string table_uri_;
  std::string key_field_;
  std::string label_field_;
  std::optional<std::vector<std::string>> classes_;
};

}  // namespace bucketline
