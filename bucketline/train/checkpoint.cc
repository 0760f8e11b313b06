#include "bucketline/train/checkpoint.h"

#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr std::string_view kLatest = "latest.json";
constexpr std::string_view kStepPrefix = "step-";
constexpr uint64_t kLatestLimit = 1 << 20;
constexpr uint64_t kFileLimit = uint64_t{16} << 30;

std::string StepFolder(uint64_t step) { return fmt::format("{}{:08}/", kStepPrefix, step); }

// The number in "step-00000012/..."; nullopt for anything else.
std::optional<uint64_t> StepOf(std::string_view name) {
  if (!name.starts_with(kStepPrefix)) return std::nullopt;
  name.remove_prefix(kStepPrefix.size());
  uint64_t step = 0;
  const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (status != std::errc() || end == name.data() + name.size() || *end != '/') return std::nullopt;
  return step;
}

nlohmann::json Describe(const Checkpoint& checkpoint) {
  nlohmann::json files = nlohmann::json::object();
  for (const auto& [name, bytes] : checkpoint.files) {
    files[name] = {{"size", bytes.size()}, {"sha256", Hex(Sha256(bytes.view()))}};
  }
  return {
      {"format", 1}, {"step", checkpoint.step}, {"folder", StepFolder(checkpoint.step)}, {"files", files}};
}

}  // namespace

CheckpointFolder::CheckpointFolder(Runtime& runtime, std::string_view uri) : uri_(uri) {
  const Uri parsed = Uri::Parse(uri);
  store_ = runtime.StoreFor(parsed);
  prefix_ = Runtime::KeyOf(parsed);
  if (!prefix_.empty() && prefix_.back() != '/') prefix_ += '/';
}

std::string CheckpointFolder::KeyOf(std::string_view name) const { return prefix_ + std::string(name); }

void CheckpointFolder::Save(const Checkpoint& checkpoint, size_t keep) {
  const std::string folder = StepFolder(checkpoint.step);
  for (const auto& [name, bytes] : checkpoint.files) PutBytes(*store_, KeyOf(folder + name), bytes.span());
  PutBytes(*store_, KeyOf(kLatest), Describe(checkpoint).dump(1));
  DeleteOld(checkpoint.step, keep);
}

void CheckpointFolder::DeleteOld(uint64_t newest, size_t keep) {
  std::map<uint64_t, std::vector<std::string>> steps;
  for (const ObjectInfo& object : ListAll(*store_, KeyOf(kStepPrefix))) {
    const std::optional<uint64_t> step = StepOf(std::string_view(object.key).substr(prefix_.size()));
    if (step) steps[*step].push_back(object.key);
  }
  // A restart from an older checkpoint leaves newer, abandoned steps behind: they go first.
  size_t kept = 0;
  for (auto it = steps.rbegin(); it != steps.rend(); ++it) {
    if (it->first <= newest && kept++ < keep) continue;
    for (const std::string& key : it->second) DeleteObject(*store_, key);
  }
}

std::optional<Checkpoint> CheckpointFolder::Load() {
  const std::string latest_key = KeyOf(kLatest);
  Bytes latest;
  try {
    latest = GetBytes(*store_, GetRequest{.key = latest_key}, kLatestLimit);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    // No object, or not even the folder; a missing bucket must not look like a fresh start.
    if (store_->UriOf("").starts_with("s3://")) ListOnePage(*store_, {.prefix = prefix_, .max_keys = 1});
    return std::nullopt;
  }
  Checkpoint checkpoint;
  try {
    const nlohmann::json description = nlohmann::json::parse(latest.view());
    if (description.at("format") != 1) {
      throw Error(ErrorCode::kUnsupported, "this checkpoint was written by another version of bucketline",
                  store_->UriOf(latest_key));
    }
    checkpoint.step = description.at("step").get<uint64_t>();
    const auto folder = description.at("folder").get<std::string>();
    for (const auto& [name, entry] : description.at("files").items()) {
      const std::string key = KeyOf(folder + name);
      Bytes bytes;
      try {
        bytes = GetBytes(*store_, GetRequest{.key = key}, kFileLimit);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kNotFound) throw;
        throw Error(
            ErrorCode::kCorruptData,
            fmt::format("the checkpoint's file is missing, though {} names it; delete {} to start anew",
                        kLatest, kLatest),
            store_->UriOf(key));
      }
      if (bytes.size() != entry.at("size").get<uint64_t>() ||
          Hex(Sha256(bytes.view())) != entry.at("sha256").get<std::string>()) {
        throw Error(ErrorCode::kCorruptData,
                    "the checkpoint's file is not what was saved: its size or hash differs",
                    store_->UriOf(key));
      }
      checkpoint.files.emplace(name, std::move(bytes));
    }
  } catch (const nlohmann::json::exception& exception) {
    throw Error(ErrorCode::kCorruptData, fmt::format("not a checkpoint description ({})", exception.what()),
                store_->UriOf(latest_key));
  }
  return checkpoint;
}

}  // namespace bucketline
