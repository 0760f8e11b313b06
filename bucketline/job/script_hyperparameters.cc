#include "bucketline/job/script_hyperparameters.h"

#include <algorithm>
#include <string_view>

namespace bucketline {
namespace {

using nlohmann::json;

constexpr std::string_view kOwnPrefix = "sagemaker_";
constexpr std::string_view kToolkitNames[] = {
    "sagemaker_program",  "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_job_name", "sagemaker_s3_output",        "sagemaker_container_log_level",
    "sagemaker_region",   "default_user_module_name",   "_tuning_objective_metric"};

// What Python's repr() says of it, which stands inside lists and dictionaries.
std::string PythonText(const json& value, bool inside);

std::string PythonEntries(const json& value) {
  std::string text;
  for (const auto& [key, entry] : value.items()) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += PythonText(json(key), true) + ": ";
    text += PythonText(entry, true);
  }
  return text;
}

std::string Quoted(const std::string& text) {
  const char quote = text.find('\'') != std::string::npos && text.find('"') == std::string::npos ? '"' : '\'';
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + quote;
}

std::string PythonText(const json& value, bool inside) {
  switch (value.type()) {
    case json::value_t::null:
      return inside ? "None" : "";
    case json::value_t::boolean:
      return value.get<bool>() ? "True" : "False";
    case json::value_t::string:
      return inside ? Quoted(value.get<std::string>()) : value.get<std::string>();
    case json::value_t::array:
      return "[" + PythonEntries(value) + "]";
    case json::value_t::object:
      return "{" + PythonEntries(value) + "}";
    default:
      return value.dump();
  }
}

}  // namespace

ScriptHyperparameters DecodeHyperparameters(const std::map<std::string, std::string>& hyperparameters) {
  ScriptHyperparameters decoded;
  for (const auto& [name, text] : hyperparameters) {
    json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) value = text;
    const bool is_toolkits = std::ranges::count(kToolkitNames, name) > 0;
    json& group = is_toolkits                    ? decoded.toolkit
                  : name.starts_with(kOwnPrefix) ? decoded.framework
                                                 : decoded.user;
    group[name] = std::move(value);
  }
  return decoded;
}

std::vector<std::string> ScriptArguments(const ScriptHyperparameters& hyperparameters) {
  std::vector<std::string> arguments;
  for (const auto& [name, value] : hyperparameters.user.items()) {
    arguments.push_back((name.size() == 1 ? "-" : "--") + name);
    arguments.push_back(PythonText(value, false));
  }
  return arguments;
}

}  // namespace bucketline
