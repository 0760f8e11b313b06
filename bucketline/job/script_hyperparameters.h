// Hyperparameters as the training toolkit hands them to a script.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace bucketline {

struct ScriptHyperparameters {
  nlohmann::json user = nlohmann::json::object();       // each value as JSON where its text is, else the text
  nlohmann::json framework = nlohmann::json::object();  // the others whose names begin with "sagemaker_"
  nlohmann::json toolkit = nlohmann::json::object();    // those that the toolkit itself reads
};

ScriptHyperparameters DecodeHyperparameters(const std::map<std::string, std::string>& hyperparameters);

// "--epochs", "3", "-k", "v": sorted by name, values as Python prints them.
std::vector<std::string> ScriptArguments(const ScriptHyperparameters& hyperparameters);

}  // namespace bucketline
