// CheckJobRules: what a job's fields must fulfil together.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "bucketline/job/shape_check.h"

namespace bucketline {

// Adds what the fields of `request`, each of which has its shape, break together: the rules of the service's API
// reference, the names that would clash below /opt/ml/input/data, and what cannot be done on one machine.
void CheckJobRules(const nlohmann::json& request, std::vector<JobFault>& faults);

}  // namespace bucketline
