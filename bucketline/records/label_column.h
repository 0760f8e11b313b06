// Columns of labels from values: one label a record, in the records' order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/manifest.h"

namespace bucketline {

// kClass: the names' places in `classes`, or, without, in the list of them sorted bytewise. The views need to
// live for the call only. Throws kInvalidArgument naming a name that is no class, or a class that is given
// twice.
LabelColumn ClassLabels(const std::vector<std::string_view>& names,
                        const std::optional<std::vector<std::string>>& classes = std::nullopt);
LabelColumn ClassLabels(const std::vector<std::string>& names,
                        const std::optional<std::vector<std::string>>& classes = std::nullopt);

LabelColumn IntegerLabels(std::vector<int64_t> values);

// Throws kInvalidArgument with the place of a value that is not finite.
LabelColumn FloatLabels(std::vector<float> values);

// `width` values a record, one record after another. Throws kInvalidArgument: a width of 0, values that do
// not make whole records, one that is not finite.
LabelColumn VectorLabels(std::vector<float> values, size_t width);

// A kClass column as kVector: 1 at the class's place, 0 elsewhere; `classes` stay known. Throws
// kInvalidArgument for any other kind.
LabelColumn OneHotLabels(const LabelColumn& labels);

// The labels of these records. Precondition: each number is that of a record of the column.
LabelColumn PickLabels(const LabelColumn& labels, const std::vector<uint64_t>& numbers);

// "classes", "integers", ...: for messages.
std::string_view LabelKindName(LabelKind kind);

}  // namespace bucketline
