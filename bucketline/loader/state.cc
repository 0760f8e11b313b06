#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/loader/batch.h"

namespace bucketline {
namespace {

constexpr uint64_t kVersion = 1;

[[noreturn]] void Refuse(const std::string& reason) {
  throw Error(ErrorCode::kInvalidArgument, "not a loader's state: " + reason);
}

const nlohmann::json& Field(const nlohmann::json& state, const char* name) {
  const auto found = state.find(name);
  if (found == state.end()) Refuse(fmt::format("\"{}\" is missing", name));
  return *found;
}

uint64_t Number(const nlohmann::json& state, const char* name) {
  const nlohmann::json& value = Field(state, name);
  if (!value.is_number_unsigned()) Refuse(fmt::format("\"{}\" is not a whole number of at least 0", name));
  return value.get<uint64_t>();
}

bool Flag(const nlohmann::json& state, const char* name) {
  const nlohmann::json& value = Field(state, name);
  if (!value.is_boolean()) Refuse(fmt::format("\"{}\" is neither true nor false", name));
  return value.get<bool>();
}

}  // namespace

std::string LoaderState::ToJson() const {
  const nlohmann::ordered_json state = {{"version", kVersion},  {"epoch", epoch},
                                        {"position", position}, {"seed", seed},
                                        {"shuffle", shuffle},   {"fingerprint", fingerprint}};
  return state.dump();
}

LoaderState LoaderState::FromJson(std::string_view json) {
  const nlohmann::json state = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (state.is_discarded()) Refuse("it is not JSON");
  if (!state.is_object()) Refuse("it is not a JSON object");
  const uint64_t version = Number(state, "version");
  if (version != kVersion) Refuse(fmt::format("version {} is not known here, only {}", version, kVersion));
  return {.epoch = Number(state, "epoch"),
          .position = Number(state, "position"),
          .seed = Number(state, "seed"),
          .shuffle = Flag(state, "shuffle"),
          .fingerprint = Number(state, "fingerprint")};
}

}  // namespace bucketline
