#include "bucketline/records/label_values.h"

#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

enum class Form { kText, kInteger, kNumber, kList };

constexpr std::string_view FormName(Form form) {
  switch (form) {
    case Form::kText:
      return "text";
    case Form::kList:
      return "a list";
    default:
      return "a number";
  }
}

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The number that the whole text is. A number too large for the type is infinite.
std::optional<int64_t> IntegerIn(std::string_view text) {
  text = Trimmed(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> NumberIn(std::string_view text) {
  text = Trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  return error == std::errc() ? value : HUGE_VAL;
}

Form FormOf(const LabelValue& value, bool typed) {
  if (std::holds_alternative<std::vector<double>>(value)) return Form::kList;
  if (std::holds_alternative<int64_t>(value)) return Form::kInteger;
  if (std::holds_alternative<double>(value)) return Form::kNumber;
  const std::string& text = std::get<std::string>(value);
  if (typed) return Form::kText;
  return IntegerIn(text) ? Form::kInteger : NumberIn(text) ? Form::kNumber : Form::kText;
}

[[noreturn]] void Throw(const LabelTable& table, const LabelRow& row, const std::string& problem) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: the label of \"{}\" {}", table.Place(row), row.key, problem), table.uri);
}

// The form that all labels have. In CSV one word makes all of them words; in JSON words beside numbers are a
// mistake.
Form CommonForm(const LabelTable& table, const std::vector<const LabelRow*>& rows) {
  Form common = FormOf(rows.front()->value, table.typed);
  for (const LabelRow* row : rows) {
    const Form form = FormOf(row->value, table.typed);
    if (form == common) continue;
    if (!table.typed && (form == Form::kText || common == Form::kText)) {
      common = Form::kText;
    } else if (FormName(form) == FormName(common)) {
      common = Form::kNumber;
    } else {
      Throw(table, *row,
            fmt::format("is {} where that of \"{}\" is {}; give all of them one form", FormName(form),
                        rows.front()->key, FormName(common)));
    }
  }
  return common;
}

float FloatOf(const LabelTable& table, const LabelRow& row, double value) {
  const float narrow = static_cast<float>(value);
  if (!std::isfinite(narrow)) Throw(table, row, "is not a finite number of 32 bits");
  return narrow;
}

// A label as a word, for classes. `scratch` owns it where the table does not.
std::string_view WordOf(const LabelTable& table, const LabelRow& row, std::string* scratch) {
  if (const auto* text = std::get_if<std::string>(&row.value)) {
    if (text->empty()) Throw(table, row, "is empty");
    return *text;
  }
  if (const auto* integer = std::get_if<int64_t>(&row.value)) return *scratch = fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&row.value)) return *scratch = fmt::format("{}", *number);
  Throw(table, row, "is a list, which cannot be a class");
}

LabelColumn IntegerColumn(const std::vector<const LabelRow*>& rows) {
  LabelColumn column;
  column.kind = LabelKind::kInteger;
  for (const LabelRow* row : rows) {
    const auto* text = std::get_if<std::string>(&row->value);
    column.integers.push_back(text != nullptr ? *IntegerIn(*text) : std::get<int64_t>(row->value));
  }
  return column;
}

LabelColumn FloatColumn(const LabelTable& table, const std::vector<const LabelRow*>& rows) {
  LabelColumn column;
  column.kind = LabelKind::kFloat;
  for (const LabelRow* row : rows) {
    double value = 0;
    if (const auto* text = std::get_if<std::string>(&row->value)) value = *NumberIn(*text);
    if (const auto* integer = std::get_if<int64_t>(&row->value)) value = static_cast<double>(*integer);
    if (const auto* number = std::get_if<double>(&row->value)) value = *number;
    column.floats.push_back(FloatOf(table, *row, value));
  }
  return column;
}

LabelColumn VectorColumn(const LabelTable& table, const std::vector<const LabelRow*>& rows) {
  LabelColumn column;
  column.kind = LabelKind::kVector;
  column.width = std::get<std::vector<double>>(rows.front()->value).size();
  if (column.width == 0) Throw(table, *rows.front(), "is an empty list");
  for (const LabelRow* row : rows) {
    const auto& list = std::get<std::vector<double>>(row->value);
    if (list.size() != column.width) {
      Throw(table, *row,
            fmt::format("has {} numbers where that of \"{}\" has {}; all lists must have one length",
                        list.size(), rows.front()->key, column.width));
    }
    for (const double value : list) column.floats.push_back(FloatOf(table, *row, value));
  }
  return column;
}

}  // namespace

LabelColumn ColumnOfRows(const LabelTable& table, const std::vector<const LabelRow*>& rows,
                         const std::optional<std::vector<std::string>>& classes) {
  const Form form = classes || rows.empty() ? Form::kText : CommonForm(table, rows);
  if (form == Form::kInteger) return IntegerColumn(rows);
  if (form == Form::kNumber) return FloatColumn(table, rows);
  if (form == Form::kList) return VectorColumn(table, rows);
  std::vector<std::string> scratch(rows.size());
  std::vector<std::string_view> words;
  words.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) words.push_back(WordOf(table, *rows[i], &scratch[i]));
  try {
    return ClassLabels(words, classes);
  } catch (const Error& error) {
    throw error.WithUri(table.uri);
  }
}

}  // namespace bucketline
