#include "bucketline/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/base/json_numbers.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr std::string_view kStepPrefix = "step-";
constexpr uint64_t kDescriptionLimit = 1 << 20;
constexpr uint64_t kFileLimit = uint64_t{16} << 30;

std::string_view NameOf(CheckpointFolder::Which which) {
  return which == CheckpointFolder::kBest ? "best.json" : "latest.json";
}

bool TakeNumber(std::string_view& text, uint64_t& number) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

struct StepFolder {
  uint64_t step = 0;
  std::string name;  // "step-00000012/" or "step-00000012-1/"
};

// The folder of "step-00000012/..." or "step-00000012-1/..."; nullopt for anything else.
std::optional<StepFolder> FolderOf(std::string_view name) {
  std::string_view rest = name;
  StepFolder folder;
  if (!rest.starts_with(kStepPrefix)) return std::nullopt;
  rest.remove_prefix(kStepPrefix.size());
  if (!TakeNumber(rest, folder.step)) return std::nullopt;
  uint64_t copy = 0;
  if (rest.starts_with('-')) {
    rest.remove_prefix(1);
    if (!TakeNumber(rest, copy)) return std::nullopt;
  }
  if (!rest.starts_with('/')) return std::nullopt;
  folder.name = name.substr(0, name.size() - rest.size() + 1);
  return folder;
}

nlohmann::json Describe(const Checkpoint& checkpoint, const std::string& folder) {
  nlohmann::json files = nlohmann::json::object();
  for (const auto& [name, bytes] : checkpoint.files) {
    files[name] = {{"size", bytes.size()}, {"sha256", Hex(Sha256(bytes.view()))}};
  }
  return {{"format", 1}, {"step", checkpoint.step}, {"folder", folder}, {"files", files}};
}

}  // namespace

CheckpointFolder::CheckpointFolder(Runtime& runtime, std::string_view uri) : uri_(uri) {
  const Uri parsed = Uri::Parse(uri);
  store_ = runtime.StoreFor(parsed);
  prefix_ = Runtime::KeyOf(parsed);
  if (!prefix_.empty() && prefix_.back() != '/') prefix_ += '/';
}

std::string CheckpointFolder::KeyOf(std::string_view name) const { return prefix_ + std::string(name); }

std::string CheckpointFolder::NamedFolder(Which which) {
  const auto known = named_.find(which);
  if (known != named_.end()) return known->second;
  std::string folder;
  try {
    const Bytes description = GetBytes(*store_, GetRequest{.key = KeyOf(NameOf(which))}, kDescriptionLimit);
    folder = nlohmann::json::parse(description.view()).at("folder").get<std::string>();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
  } catch (const nlohmann::json::exception&) {
    // It names nothing that could be read, so nothing needs to be spared.
  }
  return named_[which] = folder;
}

std::string CheckpointFolder::FreeFolder(uint64_t step) {
  std::string folder = fmt::format("{}{:08}/", kStepPrefix, step);
  for (int copy = 1; folder == NamedFolder(kLatest) || folder == NamedFolder(kBest); ++copy) {
    folder = fmt::format("{}{:08}-{}/", kStepPrefix, step, copy);
  }
  return folder;
}

void CheckpointFolder::Save(const Checkpoint& checkpoint, size_t keep, bool best) {
  const std::string folder = FreeFolder(checkpoint.step);
  for (const auto& [name, bytes] : checkpoint.files) PutBytes(*store_, KeyOf(folder + name), bytes.span());
  const std::string description = Describe(checkpoint, folder).dump(1);
  // Best before latest: a crash between the two repeats the epoch, and finds it the best again.
  for (const Which which : {kBest, kLatest}) {
    if (which == kBest && !best) continue;
    PutBytes(*store_, KeyOf(NameOf(which)), description);
    named_[which] = folder;
  }
  DeleteOld(checkpoint.step, keep);
}

void CheckpointFolder::DeleteOld(uint64_t newest, size_t keep) {
  struct Contents {
    uint64_t step = 0;
    WallTime modified{};
    std::vector<std::string> keys;
  };
  std::map<std::string, Contents> folders;
  for (const ObjectInfo& object : ListAll(*store_, KeyOf(kStepPrefix))) {
    const std::optional<StepFolder> folder = FolderOf(std::string_view(object.key).substr(prefix_.size()));
    // The one just written counts as the newest, whatever else an earlier run has left.
    if (!folder || folder->name == NamedFolder(kLatest) || folder->name == NamedFolder(kBest)) continue;
    Contents& contents = folders[folder->name];
    contents.step = folder->step;
    contents.modified = std::max(contents.modified, object.last_modified);
    contents.keys.push_back(object.key);
  }
  std::vector<Contents> newest_first;
  for (auto& [name, contents] : folders) newest_first.push_back(std::move(contents));
  std::sort(newest_first.begin(), newest_first.end(), [](const Contents& a, const Contents& b) {
    return std::tie(a.step, a.modified) > std::tie(b.step, b.modified);
  });
  // A restart from an older checkpoint leaves newer, abandoned steps behind: they go first.
  size_t kept = 1;
  for (const Contents& contents : newest_first) {
    if (contents.step <= newest && kept++ < keep) continue;
    for (const std::string& key : contents.keys) DeleteObject(*store_, key);
  }
}

std::optional<Checkpoint> CheckpointFolder::Load(Which which) {
  const std::string_view name_of_description = NameOf(which);
  const std::string description_key = KeyOf(name_of_description);
  Bytes text;
  try {
    text = GetBytes(*store_, GetRequest{.key = description_key}, kDescriptionLimit);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    // No object, or not even the folder; a missing bucket must not look like a fresh start.
    if (store_->UriOf("").starts_with("s3://")) ListOnePage(*store_, {.prefix = prefix_, .max_keys = 1});
    return std::nullopt;
  }
  Checkpoint checkpoint;
  try {
    const nlohmann::json description = nlohmann::json::parse(text.view());
    if (description.at("format") != 1) {
      throw Error(ErrorCode::kUnsupported, "this checkpoint was written by another version of bucketline",
                  store_->UriOf(description_key));
    }
    checkpoint.step = WholeNumber(description.at("step"));
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
                        name_of_description, name_of_description),
            store_->UriOf(key));
      }
      if (bytes.size() != WholeNumber(entry.at("size")) ||
          Hex(Sha256(bytes.view())) != entry.at("sha256").get<std::string>()) {
        throw Error(ErrorCode::kCorruptData,
                    "the checkpoint's file is not what was saved: its size or hash differs",
                    store_->UriOf(key));
      }
      checkpoint.files.emplace(name, std::move(bytes));
    }
  } catch (const nlohmann::json::exception& exception) {
    throw Error(ErrorCode::kCorruptData, fmt::format("not a checkpoint description ({})", exception.what()),
                store_->UriOf(description_key));
  }
  return checkpoint;
}

}  // namespace bucketline
