#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/loader/batch.h"

namespace bucketline {
namespace {

// A state of all records in turn is what it always was; one of another order must not pass for that.
constexpr uint64_t kVersion = 1;
constexpr uint64_t kVersionWithSampling = 2;  // or of a part of the records
constexpr uint64_t kVersionWithWindow = 3;

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

Sampling SamplingOf(const nlohmann::json& state) {
  const nlohmann::json& value = Field(state, "sampling");
  for (const Sampling sampling :
       {Sampling::kAll, Sampling::kBalanced, Sampling::kReplacement, Sampling::kMix}) {
    if (value == Name(sampling)) return sampling;
  }
  Refuse("\"sampling\" is none of all, balanced, replacement and mix");
}

}  // namespace

std::string LoaderState::ToJson() const {
  const bool plain = sampling == Sampling::kAll && epoch_size == 0 && window == 0;
  const uint64_t version = plain ? kVersion : window == 0 ? kVersionWithSampling : kVersionWithWindow;
  nlohmann::ordered_json state = {{"version", version}, {"epoch", epoch},     {"position", position},
                                  {"seed", seed},       {"shuffle", shuffle}, {"fingerprint", fingerprint}};
  if (!plain) {
    state["sampling"] = Name(sampling);
    state["epoch_size"] = epoch_size;
    if (sampling == Sampling::kMix) state["mix"] = mix;
    if (window > 0) state["window"] = window;
  }
  return state.dump();
}

LoaderState LoaderState::FromJson(std::string_view json) {
  const nlohmann::json state = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (state.is_discarded()) Refuse("it is not JSON");
  if (!state.is_object()) Refuse("it is not a JSON object");
  const uint64_t version = Number(state, "version");
  if (version < kVersion || version > kVersionWithWindow) {
    Refuse(fmt::format("version {} is not known here, only {} to {}", version, kVersion, kVersionWithWindow));
  }
  const bool plain = version == kVersion;
  const Sampling sampling = plain ? Sampling::kAll : SamplingOf(state);
  return {.epoch = Number(state, "epoch"),
          .position = Number(state, "position"),
          .seed = Number(state, "seed"),
          .shuffle = Flag(state, "shuffle"),
          .fingerprint = Number(state, "fingerprint"),
          .sampling = sampling,
          .epoch_size = plain ? 0 : Number(state, "epoch_size"),
          .mix = sampling == Sampling::kMix ? Number(state, "mix") : 0,
          .window = version == kVersionWithWindow ? Number(state, "window") : 0};
}

}  // namespace bucketline
