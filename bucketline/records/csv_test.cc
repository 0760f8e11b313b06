#include "bucketline/records/csv.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using records_testing::Mutate;
using ::testing::HasSubstr;

using Rows = std::vector<std::vector<std::string>>;

Rows Read(std::string_view text, std::vector<uint64_t>* lines = nullptr) {
  CsvReader reader(text);
  Rows rows;
  while (auto fields = reader.Next()) {
    rows.push_back(*fields);
    if (lines != nullptr) lines->push_back(reader.line());
  }
  return rows;
}

TEST(Csv, ReadsPlainAndQuotedFields) {
  EXPECT_EQ(Read("a,b\n1,2\n"), (Rows{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(Read("a,b\r\n1,2\r\n"), (Rows{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(Read("a,b\n1,2"), (Rows{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(Read("a\r"), (Rows{{"a"}}));
  EXPECT_EQ(Read("\"x,y\",\"say \"\"hi\"\"\"\n"), (Rows{{"x,y", "say \"hi\""}}));
  EXPECT_EQ(Read("\"two\nlines\",\"\"\r\n"), (Rows{{"two\nlines", ""}}));
  EXPECT_EQ(Read("\xef\xbb\xbf"
                 "a,b"),
            (Rows{{"a", "b"}}));
  EXPECT_EQ(Read(" a , b "), (Rows{{" a ", " b "}}));
}

TEST(Csv, KeepsEmptyFieldsAndPassesOverEmptyLines) {
  EXPECT_EQ(Read(",\n"), (Rows{{"", ""}}));
  EXPECT_EQ(Read("a,\n,b"), (Rows{{"a", ""}, {"", "b"}}));
  EXPECT_EQ(Read("\n\r\na\n\n"), (Rows{{"a"}}));
  EXPECT_EQ(Read(""), Rows{});
  EXPECT_EQ(Read("\"\""), (Rows{{""}}));
  EXPECT_EQ(Read("a,"), (Rows{{"a", ""}}));
  EXPECT_EQ(Read("\"a\","), (Rows{{"a", ""}}));
}

TEST(Csv, CountsLinesThroughQuotesAndEmptyLines) {
  std::vector<uint64_t> lines;
  Read("h\n\"1\n2\n\"\n\nx\r\ny", &lines);
  EXPECT_EQ(lines, (std::vector<uint64_t>{1, 2, 6, 7}));
}

TEST(Csv, NamesTheLineOfABadQuote) {
  const auto message = [](std::string_view text) {
    return MessageOf(ErrorCode::kInvalidArgument, [&] { Read(text); });
  };
  EXPECT_THAT(message("a\nb,\"c\nd"), HasSubstr("line 2: a quote that is not closed"));
  EXPECT_THAT(message("a\nb\nc\"d\n"), HasSubstr("line 3: a quote inside a field"));
  EXPECT_THAT(message("a\n\"b\nb\"c\n"), HasSubstr("line 3: a closing quote"));
}

TEST(Csv, WhatIsWrittenByTheRulesIsReadBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 3000; ++i) {
    Rows rows(1 + random() % 4);
    std::string text;
    for (auto& row : rows) {
      for (size_t columns = 2 + random() % 3; columns > 0; --columns) {
        std::string field;
        for (size_t length = random() % 5; length > 0; --length) field += "ab,\"\n\r "[random() % 7];
        row.push_back(field);
        text += row.size() > 1 ? "," : "";
        text += '"';
        for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
        text += '"';
      }
      text += random() % 2 == 0 ? "\n" : "\r\n";
    }
    ASSERT_EQ(Read(text), rows) << text;
    try {
      Read(Mutate(text, random));
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace bucketline
