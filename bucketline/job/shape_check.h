// CheckShape: a document against the shape that it should have.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bucketline/job/request_shape.h"

namespace bucketline {

// One thing that is wrong with a job description.
struct JobFault {
  std::string path;  // "InputDataConfig[0].ChannelName"; "" for the whole
  std::string what;

  std::string ToString() const { return path.empty() ? what : path + ": " + what; }
  friend bool operator==(const JobFault&, const JobFault&) = default;
};

struct ShapeReport {
  std::vector<JobFault> faults;             // all of them, in the order of the shape's members
  std::vector<std::string> without_effect;  // paths of the fields that mean nothing here
};

// Adds to `report` what is wrong with `value`, which stands at `path`.
void CheckShape(const nlohmann::json& value, const Shape& shape, const std::string& path,
                ShapeReport& report);

// "path.name", or "name" where the path is the whole document.
std::string FieldPath(const std::string& path, std::string_view name);

}  // namespace bucketline
