// Labels as JSON writes them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "bucketline/records/label_table.h"

namespace bucketline {

// Parses `text`, which begins on line `first_line` of what it is from; throws kInvalidArgument naming the
// line.
nlohmann::json ParseLabelJson(std::string_view text, uint64_t first_line,
                              const nlohmann::json::parser_callback_t& callback = nullptr);

// A label; `what` names its place in messages: "line 3: the label of \"a.jpg\"". Throws kInvalidArgument for
// what is neither text, a number nor a list of numbers.
LabelValue LabelOfJson(const nlohmann::json& value, const std::string& what);

// "a, b, c": the names of an object's fields.
std::string FieldNames(const nlohmann::json& object);

}  // namespace bucketline
