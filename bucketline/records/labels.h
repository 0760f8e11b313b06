// Labels: how a record gets its label.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/manifest.h"
#include "bucketline/records/manifest_list.h"
#include "bucketline/records/sidecar.h"

namespace bucketline {

class LabelPattern;

// What becomes of a record for which something, a label say, is not there.
enum class Missing { kError, kDrop };

// What a table writes of a record. kKey: whole URIs, keys, or keys relative to the prefix, one form for the
// whole table. kName: what follows the key's last "/".
enum class KeyMatch { kKey, kName };

// What a form of labels needs from the store; whoever resolves it reads it.
struct LabelFiles {
  std::string_view table = {};  // the bytes of Labels::table_uri()
  std::vector<SidecarLabel> sidecars =
      {};  // of each record, if Labels::sidecar_name() or member() is not empty
};

// What Resolve found: a label for each record but those of `unlabelled`, in order.
struct Labelling {
  LabelColumn column;
  std::vector<uint64_t> unlabelled;  // numbers of records, ascending; only with Missing::kDrop
};

// A rule; a value. The forms that need objects are given their bytes at Resolve.
class Labels {
 public:
  Labels() = default;  // None()
  static Labels None();
  // The first path component below the prefix: "train/cat/1.jpg" below "train/" is "cat".
  static Labels Folder();
  // The last folder before the name.
  static Labels Parent();
  // A table object (.csv with a header line, .json, .jsonl) at `uri`. `key_field` and `label_field` name its
  // columns; a .json is {key: label} or a list of objects. What its keys are is for Match to say.
  static Labels Table(std::string uri, std::string key_field = "file", std::string label_field = "label");
  // The same, with the text of a .json here: {key: label} or a list of objects with "file" and "label".
  static Labels TableText(std::string json);
  // What a regular expression (RE2 syntax, which has no look-around and no back-references; searched for anywhere in
  // the key) finds: the group that is named "label" as in "(?<label>...)" or "(?P<label>...)", else the first group.
  // Throws kInvalidArgument for one that does not parse or has no group.
  static Labels Pattern(std::string expression);
  // One JSON object per record, {label_field: label, ...}. `name` says where: a URI, or a path from the
  // record's folder (a leading "../" goes up one). "{stem}" stands for the record's name without its last
  // extension, "{name}" for its name, "{folder}" for what is before that in the key, without the last "/".
  // Throws kInvalidArgument for another word in braces, and for a name that is the same for all records of a
  // folder.
  static Labels Sidecar(std::string name, std::string label_field = "label");

  // What a record's own shard says (records/shard_format.h): its member, feature or column of that name; with a
  // `label_field` that field of the JSON object which stands there. Text that is a whole number or a number in all
  // records is one, as in CSV. It is read while the shards are indexed.
  static Labels Member(std::string name, std::string label_field = "");

  Labels& Classes(std::vector<std::string> classes);  // fixes the order; an unknown label is an error
  Labels& Match(KeyMatch match);                      // of Table; kKey unless given
  Labels& IfMissing(Missing missing);                 // kError unless given
  Labels& OneHot();                                   // classes as vectors: OneHotLabels

  bool is_none() const { return form_ == Form::kNone; }
  Missing missing() const { return missing_; }
  // The table that Resolve needs; "" when none.
  const std::string& table_uri() const { return table_uri_; }
  // Where the sidecars are that it needs, and their field; "" when none.
  const std::string& sidecar_name() const { return sidecar_name_; }
  // The member of the shards' samples that it is; "" when none.
  const std::string& member() const { return member_; }
  const std::string& label_field() const { return label_field_; }

  // Labels for all records, whose keys lie below the prefix of their manifest (`prefixes`: the key parts of
  // their sources, one a manifest). String labels become classes (sorted bytewise unless given), integers
  // kInteger, floats kFloat, lists of equal length kVector. JSON says which is which (true and false are 1
  // and 0; integers beside floats are floats). In CSV the labels of the dataset's records decide: all
  // integers kInteger, all numbers kFloat, else classes. With Classes() every label is taken as text. Rows
  // for keys that the dataset does not have are passed over.
  // A record has no label when it has no folder, no row, no match of the pattern, or no label in a sidecar.
  // Throws kInvalidArgument naming a record without a label (and how many there are; with kDrop, when no
  // record has one), a missing column (and those there are), a line that does not parse (and its number), a
  // key twice with different labels, ragged lists, a number that is not a finite float, a class that was not
  // given, mixed forms of keys, two keys of one bare name, a table of which no key is in the dataset.
  Labelling Resolve(const ManifestList& records, const std::vector<std::string>& prefixes,
                    const LabelFiles& files = {}) const;

 private:
  enum class Form { kNone, kFolder, kParent, kTable, kPattern, kSidecar, kMember };
  explicit Labels(Form form) : form_(form) {}

  Labelling ByTable(const ManifestList& records, const std::vector<std::string>& prefixes,
                    std::string_view table_bytes) const;
  Labelling BySidecar(const std::vector<SidecarLabel>& sidecars) const;
  Labelling ByKey(const ManifestList& records, const std::vector<std::string>& prefixes) const;
  std::optional<std::string> WordOf(const std::string& key, std::string_view prefix,
                                    const std::string& source, const LabelPattern* pattern) const;
  std::string WhyNoWord(const std::string& key, std::string_view prefix) const;

  Form form_ = Form::kNone;
  std::string table_uri_;
  std::string table_text_;
  std::string key_field_;
  std::string label_field_;
  std::string pattern_;
  std::string sidecar_name_;
  std::string member_;
  KeyMatch match_ = KeyMatch::kKey;
  Missing missing_ = Missing::kError;
  bool one_hot_ = false;
  std::optional<std::vector<std::string>> classes_;
};

}  // namespace bucketline
