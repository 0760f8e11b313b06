#include "bucketline/s3/environment_variables.h"

#include <cstdlib>

#include "bucketline/http/ascii.h"

namespace bucketline {

EnvironmentVariables ProcessVariables() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::optional<std::string> FindVariable(const EnvironmentVariables& variables, const char* name) {
  auto value = variables(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

bool IsTrue(const std::optional<std::string>& value) { return value && EqualsIgnoringCase(*value, "true"); }

}  // namespace bucketline
