#include "bucketline/records/csv.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

[[noreturn]] void ThrowLine(uint64_t line, std::string_view problem) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("line {}: {}", line, problem));
}

}  // namespace

CsvReader::CsvReader(std::string_view text) : rest_(text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

bool CsvReader::TakeLineEnd() {
  const size_t size = rest_.starts_with("\r\n") ? 2 : rest_.starts_with('\n') ? 1 : 0;
  if (size == 0) return false;
  rest_.remove_prefix(size);
  ++next_line_;
  return true;
}

std::optional<std::vector<std::string>> CsvReader::Next() {
  while (TakeLineEnd()) {
  }
  if (rest_.empty()) return std::nullopt;
  line_ = next_line_;
  std::vector<std::string> fields;
  while (true) {
    fields.push_back(rest_.starts_with('"') ? QuotedField() : PlainField());
    if (rest_.empty() || TakeLineEnd()) return fields;
    rest_.remove_prefix(1);  // the comma
  }
}

std::string CsvReader::QuotedField() {
  const uint64_t first_line = next_line_;
  std::string field;
  rest_.remove_prefix(1);
  while (true) {
    const size_t quote = rest_.find('"');
    if (quote == std::string_view::npos) ThrowLine(first_line, "a quote that is not closed");
    const std::string_view text = rest_.substr(0, quote);
    next_line_ += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    field += text;
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) break;
    field += '"';
    rest_.remove_prefix(1);
  }
  if (!rest_.empty() && !rest_.starts_with(',') && !rest_.starts_with('\n') && !rest_.starts_with("\r\n")) {
    ThrowLine(next_line_, "a closing quote must be followed by a comma or the end of the line");
  }
  return field;
}

std::string CsvReader::PlainField() {
  size_t size = std::min(rest_.find_first_of(",\"\n"), rest_.size());
  if (size < rest_.size() && rest_[size] == '"') {
    ThrowLine(next_line_,
              "a quote inside a field that does not begin with one; write \"\" in a quoted field");
  }
  if (size > 0 && rest_[size - 1] == '\r' && (size == rest_.size() || rest_[size] == '\n')) --size;
  std::string field(rest_.substr(0, size));
  rest_.remove_prefix(size);
  if (rest_ == "\r") rest_ = {};
  return field;
}

}  // namespace bucketline
