// What the job commands print as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "bucketline/job/job_spec.h"

namespace bucketline::cli {

// {"valid", "faults": [{"path", "what"}], "without_effect": [path]}
nlohmann::ordered_json ReadingJson(const JobReading& reading);

// The job as it will run. Precondition: no faults.
nlohmann::ordered_json DescriptionJson(const JobReading& reading);

// The limits of every field that is looked at, by the name of its shape in AWS's model of the service.
nlohmann::ordered_json LimitsJson();

}  // namespace bucketline::cli
