// Label rows: which row of a table belongs to which record.
#pragma once

#include <string>
#include <vector>

#include "bucketline/records/label_table.h"
#include "bucketline/records/labels.h"
#include "bucketline/records/manifest_list.h"

namespace bucketline {

// The row of each record; null where the table has none. The form of keys is that which finds most records.
// Throws kInvalidArgument with the table's URI: a key twice with different labels, mixed forms of keys, no
// key at all that is in the dataset, and, by names, two records of one name.
std::vector<const LabelRow*> RowsOf(const ManifestList& records, const std::vector<std::string>& prefixes,
                                    const LabelTable& table, KeyMatch match);

}  // namespace bucketline
