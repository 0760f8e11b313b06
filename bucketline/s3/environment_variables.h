// EnvironmentVariables: the process's variables, or a test's own.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace bucketline {

// The value of a variable, nullopt when unset. Thread-safe as far as getenv is.
using EnvironmentVariables = std::function<std::optional<std::string>(const char* name)>;
EnvironmentVariables ProcessVariables();

// An empty value counts as unset, as in every AWS tool.
std::optional<std::string> FindVariable(const EnvironmentVariables& variables, const char* name);

// Whether it is "true", in any case.
bool IsTrue(const std::optional<std::string>& value);

}  // namespace bucketline
