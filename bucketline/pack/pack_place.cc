#include "bucketline/pack/pack_place.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/pack/pack_plan.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestPlan = uint64_t{1} << 20;

// Where it is, so that one that begins with another lies in it: of files an absolute path.
std::string PlaceOf(const Uri& uri) {
  if (uri.scheme != "file") return Runtime::KeyOf(uri);
  std::string path = std::filesystem::absolute(uri.key).lexically_normal().string();
  if (uri.key.ends_with('/') && !path.ends_with('/')) path += '/';
  return path;
}

void CheckApart(const std::string& source, const Uri& out, bool same_store) {
  const Uri from = Uri::Parse(source);
  const bool files = from.scheme == "file" && out.scheme == "file";
  if (!files && !same_store) return;
  std::string place = PlaceOf(from);
  const std::string target = PlaceOf(out);
  if (files && std::filesystem::is_directory(place) && !place.ends_with('/')) place += '/';
  if (target.starts_with(place)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("this place lies in the dataset itself, {}: the next listing of it would find the "
                    "shards; choose one beside it",
                    source),
        out.ToString());
  }
  if (place.starts_with(target)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the dataset, {}, lies in this place, which a pack needs for itself; choose another",
                    source),
        out.ToString());
  }
}

}  // namespace

PackPlace::PackPlace(const Dataset& dataset, std::string_view out, const std::optional<S3Options>& s3) {
  Uri parsed = Uri::Parse(out);
  if (!parsed.key.empty() && !parsed.key.ends_with('/')) parsed.key += '/';
  uri_ = parsed.ToString();
  store_ = s3 ? dataset.runtime().StoreFor(parsed, *s3) : dataset.runtime().StoreFor(parsed);
  prefix_ = Runtime::KeyOf(parsed);
  const std::string* checked = nullptr;  // records stand source after source
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    const std::string* source = &dataset.SourceAt(i);
    if (source == checked) continue;
    checked = source;
    CheckApart(*source, parsed, dataset.PlaceAt(i).store == store_);
  }
}

void PackPlace::Claim(const std::string& plan, std::stop_token stop) {
  const auto list = [&] {
    const Result<std::vector<ObjectInfo>> listed = Catch([&] { return ListAll(*store_, prefix_, stop); });
    if (!listed && listed.error().code() != ErrorCode::kNotFound) throw listed.error().WithUri(uri_);
    if (!listed) return;  // a folder that is still to be made; a bucket that is not there will say so
    for (const ObjectInfo& object : *listed) there_.emplace(object.key.substr(prefix_.size()), object);
  };
  list();
  there_.erase("");  // a folder's marker
  if (there_.contains(kPackPlanName)) return CheckPlan(plan, stop);
  if (!there_.empty()) {
    throw Error(ErrorCode::kAlreadyExists,
                fmt::format("there is something here already that is no pack, {} for one; pack to a place of "
                            "its own",
                            there_.begin()->first),
                uri_);
  }
  const Result<ObjectInfo> written = Catch([&] {
    return PutBytes(*store_, prefix_ + std::string(kPackPlanName), plan, {.if_absent = true, .stop = stop});
  });
  if (written) return;
  if (written.error().code() != ErrorCode::kAlreadyExists) throw written.error();
  CheckPlan(plan, stop);  // of somebody who was faster
  list();
}

void PackPlace::CheckPlan(const std::string& plan, const std::stop_token& stop) const {
  const std::string key = prefix_ + std::string(kPackPlanName);
  GetRequest request{.key = key};
  request.stop = stop;
  std::string difference;
  try {
    difference = PlanDifference(GetBytes(*store_, std::move(request), kLargestPlan).view(), plan);
  } catch (const Error& error) {
    throw error.WithUri(store_->UriOf(key));
  }
  if (difference.empty()) return;
  throw Error(
      ErrorCode::kAlreadyExists,
      fmt::format("another pack is here: {}; pack to another place, or delete what is here", difference),
      uri_);
}

const ObjectInfo* PackPlace::Find(std::string_view name) const {
  const auto found = there_.find(name);
  return found == there_.end() ? nullptr : &found->second;
}

}  // namespace bucketline
