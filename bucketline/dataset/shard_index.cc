#include "bucketline/dataset/shard_index.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/shard_reader.h"
#include "bucketline/exec/parallel.h"
#include "bucketline/records/part_choice.h"

namespace bucketline {
namespace {

constexpr size_t kShardsAtATime = 16;
constexpr uint64_t kToldAtOnce = 256;   // samples
constexpr uint64_t kLoggedDamage = 10;  // of all shards

// The labels of a shard's records, by where their first part is.
struct PlacedLabel {
  uint64_t offset = 0;
  SidecarLabel label;
  bool taken = false;
};
using PlacedLabels = std::vector<PlacedLabel>;

// Several records of one shard may have the same bytes, in a dictionary; they are in their order then.
bool IsBefore(const PlacedLabel& a, const PlacedLabel& b) { return a.offset < b.offset; }

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What all scans share.
class Index {
 public:
  Index(Runtime& runtime, const ShardSet& shards, const DatasetOptions& options)
      : runtime_(runtime),
        shards_(shards),
        options_(options),
        choices_(options.parts.empty() ? std::vector{ImageChoice(*shards.format)} : options.parts),
        labels_(shards.objects.size()),
        classes_(shards.objects.size()),
        builder_(shards.source, NamesOf(choices_)) {}

  Source Run() {
    RunParallel(shards_.objects.size(), kShardsAtATime, [&](size_t i) { ScanOne(i); });
    if (damages_ > kLoggedDamage) Log(fmt::format("{} more places are damaged", damages_ - kLoggedDamage));
    if (added_ == 0) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("{} shards hold no sample{}", shards_.objects.size(),
                      left_out_ > 0 ? fmt::format(" that can be used; {} were left out, the first because {}",
                                                  left_out_.load(), first_left_out_)
                                    : ""),
          shards_.source);
    }
    Source source{.manifest = std::move(builder_).Build(),
                  .stores = {},
                  .member_labels = {},
                  .label_names = CommonClasses(),
                  .left_out = left_out_};
    if (HasLabels()) source.member_labels = LabelsInOrder(source.manifest);
    source.stores.assign(choices_.size(), {.store = shards_.store, .pin = options_.pin});
    return source;
  }

 private:
  class Scan;

  static std::vector<std::string> NamesOf(const std::vector<PartChoice>& choices) {
    std::vector<std::string> names;
    names.reserve(choices.size());
    for (const PartChoice& choice : choices) names.push_back(choice.name);
    return names;
  }

  bool HasLabels() const { return !options_.labels.member().empty(); }
  std::string UriOf(const ObjectInfo& shard) const { return shards_.store->UriOf(shard.key); }
  void Log(const std::string& message) const { runtime_.log()(LogLevel::kWarning, message); }

  void ScanOne(size_t number);
  SidecarLabel LabelOf(const ObjectInfo& shard, const ShardSample& sample) const;
  std::vector<std::string> CommonClasses() const;
  void LeaveOut(std::string why);
  void Damaged(const ObjectInfo& shard, const std::string& what);
  std::vector<SidecarLabel> LabelsInOrder(const Manifest& manifest);

  Runtime& runtime_;
  const ShardSet& shards_;
  const DatasetOptions& options_;
  const std::vector<PartChoice> choices_;
  std::vector<PlacedLabels> labels_;               // of each shard, by the one scan that has it
  std::vector<std::vector<std::string>> classes_;  // the same
  std::atomic<uint64_t> added_{0};
  std::atomic<uint64_t> left_out_{0};
  std::mutex mutex_;  // guards what follows
  ManifestBuilder builder_;
  uint64_t damages_ = 0;
  std::string first_left_out_;
};

// Takes the samples of one shard.
class Index::Scan : public SampleSink {
 public:
  Scan(Index& index, size_t number)
      : index_(index),
        object_(index.shards_.objects[number]),
        labels_(index.labels_[number]),
        classes_(index.classes_[number]),
        shard_{.object_key = object_.key,
               .offset = 0,
               .length = object_.size,
               .object_size = object_.size,
               .etag = object_.etag,
               .version = object_.version} {}

  void Run() {
    ShardReader reader(*index_.shards_.store, shard_, index_.options_.pin, index_.options_.stop);
    try {
      index_.shards_.format->scan(reader, index_.options_.labels.member(), *this);
    } catch (const ShardDamage& damage) {
      index_.Damaged(object_, fmt::format("{}; what comes after it is left out", damage.what()));
    } catch (const Error& error) {
      throw error.uri().empty() ? error.WithUri(index_.UriOf(object_)) : error;
    }
    Tell();
  }

  void Take(ShardSample sample) override {
    std::variant<Record, std::string> record = RecordOfSample(shard_, sample, index_.choices_);
    if (const auto* why = std::get_if<std::string>(&record)) {
      if (index_.options_.missing == Missing::kError) {
        throw Error(
            ErrorCode::kInvalidArgument,
            fmt::format("{}; name the members that are wanted as parts, or leave such samples out with "
                        "missing drop",
                        *why),
            index_.UriOf(object_));
      }
      index_.LeaveOut(*why);
      return;
    }
    auto& made = std::get<Record>(record);
    if (index_.HasLabels()) {
      labels_.push_back({.offset = made.parts.front().offset, .label = index_.LabelOf(object_, sample)});
    }
    {
      const std::lock_guard lock(index_.mutex_);
      index_.builder_.Add(std::move(made));
    }
    ++index_.added_;
    if (++untold_ == kToldAtOnce) Tell();
  }

  void Skip(const ShardDamage& damage) override { index_.Damaged(object_, damage.what()); }
  std::vector<bool> WantedParts(const std::vector<std::string>& members) override;
  void NameClasses(std::vector<std::string> classes) override { classes_ = std::move(classes); }

 private:
  void Tell() {
    if (untold_ > 0 && index_.options_.listing_progress) index_.options_.listing_progress(untold_);
    untold_ = 0;
  }

  Index& index_;
  const ObjectInfo& object_;
  PlacedLabels& labels_;
  std::vector<std::string>& classes_;
  const RecordPart shard_;
  uint64_t untold_ = 0;
};

std::vector<bool> Index::Scan::WantedParts(const std::vector<std::string>& members) {
  const auto stands = [&](const std::string& name) { return Contains(members, name); };
  const auto refuse = [&](std::string_view what, std::string names) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the shard has no {} {}; its columns are \"{}\"", what, names,
                            fmt::join(members, "\", \"")),
                index_.UriOf(object_));
  };
  std::vector<bool> wanted(members.size());
  for (const PartChoice& choice : index_.choices_) {
    for (size_t i = 0; i < members.size(); ++i) wanted[i] = wanted[i] || Contains(choice.members, members[i]);
    if (index_.options_.missing == Missing::kError &&
        std::none_of(choice.members.begin(), choice.members.end(), stands)) {
      refuse(index_.options_.parts.empty() ? "column that is known to hold images:" : "column",
             fmt::format("\"{}\"", fmt::join(choice.members, "\" or \"")));
    }
  }
  const Labels& labels = index_.options_.labels;
  if (index_.HasLabels() && labels.missing() == Missing::kError && !stands(labels.member())) {
    refuse("column of labels", fmt::format("\"{}\"", labels.member()));
  }
  return wanted;
}

std::vector<std::string> Index::CommonClasses() const {
  const auto differs = [&](const auto& classes) { return classes != classes_.front(); };
  const bool common = std::none_of(classes_.begin(), classes_.end(), differs);
  return common ? classes_.front() : std::vector<std::string>();
}

void Index::ScanOne(size_t number) { Scan(*this, number).Run(); }

SidecarLabel Index::LabelOf(const ObjectInfo& shard, const ShardSample& sample) const {
  const std::string place = fmt::format("{}, sample \"{}\"", UriOf(shard), sample.key);
  const std::string& member = options_.labels.member();
  const ShardMember* found = FindMember(sample, member);
  if (found == nullptr || !found->value) return NoLabel{fmt::format("{} has no \"{}\"", place, member)};
  if (options_.labels.label_field().empty())
    return LabelRow{.key = place, .value = *found->value, .place = 0};
  const auto* json = std::get_if<std::string>(&*found->value);
  if (json == nullptr) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "the member \"{}\" of the sample \"{}\" is a number and has no fields; name it alone as the "
            "label",
            member, sample.key),
        UriOf(shard));
  }
  return ReadSidecar(place, *json, options_.labels.label_field());
}

void Index::LeaveOut(std::string why) {
  ++left_out_;
  const std::lock_guard lock(mutex_);
  if (first_left_out_.empty()) first_left_out_ = std::move(why);
}

void Index::Damaged(const ObjectInfo& shard, const std::string& what) {
  if (options_.damaged == Damaged::kError) {
    throw Error(ErrorCode::kCorruptData, fmt::format("{}; damaged=\"skip\" goes on without it", what),
                UriOf(shard));
  }
  LeaveOut(what);
  const std::lock_guard lock(mutex_);
  if (++damages_ <= kLoggedDamage) Log(fmt::format("{} is damaged {}", UriOf(shard), what));
}

std::vector<SidecarLabel> Index::LabelsInOrder(const Manifest& manifest) {
  std::unordered_map<std::string_view, PlacedLabels*> by_shard;
  const auto before = [](const PlacedLabel& label, uint64_t offset) {
    return label.offset < offset || (label.offset == offset && label.taken);
  };
  for (size_t i = 0; i < labels_.size(); ++i) {
    std::stable_sort(labels_[i].begin(), labels_[i].end(), IsBefore);
    by_shard.emplace(shards_.objects[i].key, &labels_[i]);
  }
  std::vector<SidecarLabel> labels;
  labels.reserve(manifest.size());
  for (uint64_t i = 0; i < manifest.size(); ++i) {
    const RecordPart part = manifest.At(i).parts.front();
    PlacedLabels& placed = *by_shard.at(part.object_key);
    PlacedLabel& next = *std::lower_bound(placed.begin(), placed.end(), part.offset, before);
    next.taken = true;
    labels.push_back(std::move(next.label));
    if (auto* row = std::get_if<LabelRow>(&labels.back())) row->place = i;
  }
  return labels;
}

}  // namespace

Source IndexShards(Runtime& runtime, const ShardSet& shards, const DatasetOptions& options) {
  return Index(runtime, shards, options).Run();
}

}  // namespace bucketline
