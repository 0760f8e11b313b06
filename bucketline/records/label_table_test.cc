#include "bucketline/records/label_table.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using records_testing::Mutate;
using ::testing::AllOf;
using ::testing::HasSubstr;

LabelTable Read(const std::string& uri, std::string_view text) {
  return ReadLabelTable(uri, text, "file", "label");
}

std::string Message(const std::string& uri, std::string_view text) {
  try {
    Read(uri, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.uri(), uri);
    return error.message();
  }
  return "nothing thrown";
}

TEST(LabelTable, ReadsCsvByTheNamesOfItsColumns) {
  const LabelTable table = Read("s3://b/t.CSV", "id,label,file\n1,cat,a.jpg\n2,\"d,og\",\"b\n.jpg\"\n");
  EXPECT_FALSE(table.typed);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].key, "a.jpg");
  EXPECT_EQ(table.rows[0].value, LabelValue(std::string("cat")));
  EXPECT_EQ(table.rows[1].key, "b\n.jpg");
  EXPECT_EQ(table.rows[1].value, LabelValue(std::string("d,og")));
  EXPECT_EQ(table.Place(table.rows[1]), "line 3");
}

TEST(LabelTable, SaysWhatIsWrongWithACsv) {
  EXPECT_THAT(Message("t.csv", ""), HasSubstr("empty"));
  EXPECT_THAT(Message("t.csv", "path,label\n"),
              HasSubstr("no column \"file\"; the columns are: path, label"));
  EXPECT_THAT(Message("t.csv", "file,class\n"),
              HasSubstr("no column \"label\"; the columns are: file, class"));
  EXPECT_THAT(Message("t.csv", "file,label,label\n"), HasSubstr("more than one column \"label\""));
  EXPECT_THAT(Message("t.csv", "file,label\na,1\nb\n"),
              HasSubstr("line 3: 1 fields where the header line names 2"));
  EXPECT_THAT(Message("t.csv", "file,label\na,1,2\n"), HasSubstr("line 2: 3 fields"));
  EXPECT_THAT(Message("t.csv", "file,label\na,\"1\n"), HasSubstr("line 2: a quote"));
}

TEST(LabelTable, ReadsJsonObjectsWithEveryKindOfLabel) {
  const LabelTable table = Read(
      "t.json", "{\"a\": \"cat\", \"b\": -3, \"c\": 1.5, \"d\": [1, 2.5], \"e\": true, \"f\": [], \"a\": 7}");
  EXPECT_TRUE(table.typed);
  ASSERT_EQ(table.rows.size(), 7u);
  EXPECT_EQ(table.rows[0].value, LabelValue(std::string("cat")));
  EXPECT_EQ(table.rows[1].value, LabelValue(int64_t{-3}));
  EXPECT_EQ(table.rows[2].value, LabelValue(1.5));
  EXPECT_EQ(table.rows[3].value, LabelValue(std::vector<double>{1, 2.5}));
  EXPECT_EQ(table.rows[4].value, LabelValue(int64_t{1}));
  EXPECT_EQ(table.rows[5].value, LabelValue(std::vector<double>{}));
  EXPECT_EQ(table.rows[6].key, "a");  // the second "a" is not forgotten
  EXPECT_EQ(table.rows[6].value, LabelValue(int64_t{7}));
  EXPECT_EQ(table.Place(table.rows[6]), "entry 7");
  EXPECT_TRUE(Read("t.json", "{}").rows.empty());
}

TEST(LabelTable, ReadsJsonListsAndLines) {
  const LabelTable list =
      Read("t.json", "\xef\xbb\xbf [{\"file\": \"a\", \"label\": 1}, {\"label\": 2, \"file\": \"b\"}]");
  ASSERT_EQ(list.rows.size(), 2u);
  EXPECT_EQ(list.rows[1].key, "b");
  EXPECT_EQ(list.rows[1].value, LabelValue(int64_t{2}));
  EXPECT_EQ(list.Place(list.rows[1]), "entry 2");
  const LabelTable lines =
      Read("t.jsonl", "{\"file\": \"a\", \"label\": 1}\r\n\n{\"file\": \"b\", \"label\": \"x\"}");
  ASSERT_EQ(lines.rows.size(), 2u);
  EXPECT_EQ(lines.rows[1].value, LabelValue(std::string("x")));
  EXPECT_EQ(lines.Place(lines.rows[1]), "line 3");
}

TEST(LabelTable, SaysWhatIsWrongWithJson) {
  EXPECT_THAT(Message("t.json", " \n"), HasSubstr("empty"));
  EXPECT_THAT(Message("t.jsonl", " \n"), HasSubstr("empty"));
  EXPECT_THAT(Message("t.json", "{\"a\": 1,\n \"b\" 2}"), HasSubstr("line 2: this is not JSON"));
  EXPECT_THAT(Message("t.json", "{\"a\": 1} x"), HasSubstr("line 1: this is not JSON"));
  EXPECT_THAT(Message("t.jsonl", "{\"file\": \"a\", \"label\": 1}\n{\"file\""),
              HasSubstr("line 2: this is not JSON"));
  EXPECT_THAT(Message("t.json", "3"), HasSubstr("a list of objects is needed, this is number"));
  EXPECT_THAT(Message("t.json", "[3]"), HasSubstr("entry 1: an object with \"file\" and \"label\""));
  EXPECT_THAT(Message("t.jsonl", "\n[]"), HasSubstr("line 2: an object"));
  EXPECT_THAT(Message("t.json", "[{\"path\": \"a\", \"label\": 1}]"),
              AllOf(HasSubstr("entry 1: there is no \"file\""), HasSubstr("label, path")));
  EXPECT_THAT(Message("t.json", "[{\"file\": \"a\"}]"),
              HasSubstr("there is no \"label\"; the fields are: file"));
  EXPECT_THAT(Message("t.json", "[{\"file\": 5, \"label\": 1}]"),
              HasSubstr("\"file\" is number where a key"));
  EXPECT_THAT(Message("t.json", "{\"a\": null}"), HasSubstr("entry 1: the label of \"a\" is null"));
  EXPECT_THAT(Message("t.json", "{\"a\": {\"b\": 1}}"), HasSubstr("the label of \"a\" is object"));
  EXPECT_THAT(Message("t.json", "{\"a\": [1, \"x\"]}"), HasSubstr("something else than numbers"));
  EXPECT_THAT(Message("t.json", "{\"a\": 9223372036854775808}"), HasSubstr("63 bits"));
  EXPECT_THAT(Message("t.json", "{\"a\": 1e999}"), HasSubstr("out of range"));
  EXPECT_THAT(Message("t.txt", "x"), HasSubstr("must be a .csv, .json or .jsonl"));
}

TEST(LabelTable, DeepJsonIsNoTrouble) {
  EXPECT_THAT(Message("t.json", "{\"a\": " + std::string(100000, '[')), HasSubstr("not JSON"));
  EXPECT_THAT(Message("t.json", "{\"a\": " + std::string(100000, '[') + std::string(100000, ']') + "}"),
              HasSubstr("something else than numbers"));
}

TEST(LabelTable, HostileTablesGiveRowsOrAnError) {
  std::mt19937_64 random(1);
  const std::pair<std::string, std::string> tables[] = {
      {"t.csv", "file,label\na.jpg,cat\n\"b\"\"c\",1.5\r\nd,7\n"},
      {"t.json", "{\"a\": \"cat\", \"b\": [1.5, 2], \"c\": -7e2, \"d\\u00e4\": true}"},
      {"t.json", "[{\"file\": \"a\", \"label\": 1}, {\"file\": \"b\", \"label\": \"x\"}]"},
      {"t.jsonl", "{\"file\": \"a\", \"label\": 1}\n{\"file\": \"b\", \"label\": [1]}\n"}};
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto& [uri, text] = tables[random() % std::size(tables)];
    try {
      Read(uri, Mutate(text, random));
      ++read;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kInvalidArgument) << error.what();
    }
  }
  EXPECT_GT(read, 500);
}

}  // namespace
}  // namespace bucketline
