// CSV as RFC 4180 writes it: records of fields, quotes where a field holds a comma, a quote or a line break.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bucketline {

// Reads record by record. Lines end with LF or CRLF; a UTF-8 byte order mark is passed over, and so are empty
// lines.
class CsvReader {
 public:
  // `text` must live on.
  explicit CsvReader(std::string_view text);

  // The next record's fields; nullopt at the end. Throws kInvalidArgument naming the line: a quote that is
  // not closed, or stands inside a field that does not begin with one, or is followed by anything but a comma
  // or the line's end.
  std::optional<std::vector<std::string>> Next();

  // The line, from 1, on which the record that Next returned last begins.
  uint64_t line() const { return line_; }

 private:
  std::string QuotedField();
  std::string PlainField();
  bool TakeLineEnd();

  std::string_view rest_;
  uint64_t line_ = 0;
  uint64_t next_line_ = 1;
};

}  // namespace bucketline
