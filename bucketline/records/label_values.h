// Label values: from what each record is said to be, to one column.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/label_table.h"
#include "bucketline/records/manifest.h"

namespace bucketline {

// One label a record, by the rules of Labels::Resolve; rows[i] is a row of `table` for record i.
// Throws kInvalidArgument naming the place in the table.
LabelColumn ColumnOfRows(const LabelTable& table, const std::vector<const LabelRow*>& rows,
                         const std::optional<std::vector<std::string>>& classes);

}  // namespace bucketline
