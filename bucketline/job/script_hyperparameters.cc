#include "bucketline/job/script_hyperparameters.h"

namespace bucketline {
namespace {

using nlohmann::json;

constexpr const char* kFrameworkPrefix = "sagemaker_";

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
    (name.starts_with(kFrameworkPrefix) ? decoded.framework : decoded.user)[name] = std::move(value);
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
