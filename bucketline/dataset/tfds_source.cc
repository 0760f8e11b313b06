#include "bucketline/dataset/tfds_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/shard_index.h"
#include "bucketline/dataset/shard_listing.h"
#include "bucketline/records/tfds_info.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestFile = uint64_t{64} << 20;  // of what stands beside the shards

class Folder {
 public:
  Folder(Runtime& runtime, Uri uri, const DatasetOptions& options)
      : uri_(std::move(uri)), store_(StoreOf(runtime, uri_, options)), stop_(options.stop) {}

  std::string Read(std::string_view name) const {
    GetRequest request;
    request.key = Runtime::KeyOf(uri_.Join(name));
    request.stop = stop_;
    return GetBytes(*store_, std::move(request), kLargestFile).ToString();
  }

 private:
  const Uri uri_;
  const std::shared_ptr<ObjectStore> store_;
  const std::stop_token stop_;
};

std::string SplitOf(const TfdsInfo& info, const DatasetOptions& options, const Uri& uri) {
  const std::string known = fmt::format("the dataset has {}", fmt::join(info.splits, ", "));
  if (options.split.empty()) {
    if (info.splits.size() == 1) return info.splits.front();
    throw Error(ErrorCode::kInvalidArgument, fmt::format("name a split; {}", known), uri.ToString());
  }
  if (std::find(info.splits.begin(), info.splits.end(), options.split) != info.splits.end())
    return options.split;
  throw Error(ErrorCode::kInvalidArgument, fmt::format("there is no split \"{}\"; {}", options.split, known),
              uri.ToString());
}

PartChoice TheImage(const TfdsInfo& info, const Uri& uri) {
  if (info.images.size() == 1) return {.name = "data", .members = info.images};
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{} features are images{}{}; name those that are wanted as parts",
                          info.images.size(), info.images.empty() ? "" : ": ", fmt::join(info.images, ", ")),
              uri.ToString());
}

}  // namespace

Source OpenTfds(Runtime& runtime, const Uri& uri, DatasetOptions options) {
  const Folder folder(runtime, uri, options);
  const Result<TfdsInfo> info =
      Catch([&] { return ReadTfdsInfo(folder.Read("dataset_info.json"), folder.Read("features.json")); });
  if (!info) throw info.error().uri().empty() ? info.error().WithUri(uri.ToString()) : info.error();
  const std::string split = SplitOf(*info, options, uri);
  if (options.parts.empty()) options.parts = {TheImage(*info, uri)};
  ShardSet shards = ListShards(runtime, {uri}, *FindShardFormat("tfrecord"), options);
  std::erase_if(shards.objects, [&](const ObjectInfo& object) { return !IsShardOfSplit(object.key, split); });
  Source source = IndexShards(runtime, shards, options);
  const std::string& label = options.labels.member();
  if (std::find(info->class_labels.begin(), info->class_labels.end(), label) != info->class_labels.end()) {
    source.label_names = ReadLabelNames(folder.Read(label + ".labels.txt"));
  }
  return source;
}

}  // namespace bucketline
