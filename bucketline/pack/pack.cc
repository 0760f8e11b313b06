#include "bucketline/pack/pack.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/exec/parallel.h"
#include "bucketline/pack/pack_memory.h"
#include "bucketline/pack/pack_place.h"
#include "bucketline/pack/pack_plan.h"
#include "bucketline/pack/shard_job.h"
#include "bucketline/records/mds_index.h"
#include "bucketline/s3/s3_upload.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/linked_stop.h"

namespace bucketline {
namespace {

constexpr size_t kLookedAtOnce = 16;    // indexes of a run before
constexpr uint64_t kReadBack = 24_MiB;  // what checking a shard holds of it
constexpr uint64_t kGathered = 1_MiB;   // what a shard's object holds beside its parts

const ShardEncoding& EncodingOf(const PackOptions& options) {
  if (const ShardEncoding* encoding = FindShardEncoding(options.format)) return *encoding;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("format must be one of {}, not \"{}\"", ShardEncodingNames(), options.format));
}

void CheckOptions(const Dataset& dataset, const PackOptions& options) {
  const auto fail = [](const std::string& what) { throw Error(ErrorCode::kInvalidArgument, what); };
  const ShardEncoding& encoding = EncodingOf(options);
  if (options.shard_size == 0 || options.shard_size > encoding.largest_shard) {
    fail(fmt::format("shards of {} have at most {} bytes, and {} were asked for", options.format,
                     encoding.largest_shard, options.shard_size));
  }
  if (options.short_side < 0) fail("the short side of an image has at least one pixel");
  if (options.quality < 1 || options.quality > 100) fail("the quality of a JPEG is 1 to 100");
  if (!(options.max_skipped >= 0 && options.max_skipped <= 1)) fail("max_skipped is a share, 0 to 1");
  if (options.short_side > 0 && dataset.part_names().size() > 1) {
    fail("records of several parts cannot be made smaller: a mask is no photo; pack them as they are");
  }
  if (dataset.size() == 0) fail("there is no record to pack");
}

// The dataset's numbers in the order of the keys. Throws kInvalidArgument naming a key that two records have.
std::vector<uint64_t> ByKey(const Dataset& dataset) {
  std::vector<uint64_t> order(dataset.size());
  std::iota(order.begin(), order.end(), 0);
  if (dataset.manifests().manifests().size() == 1) return order;  // it is theirs
  std::vector<std::string> keys;
  keys.reserve(order.size());
  for (const uint64_t index : order) keys.push_back(dataset.Key(index));
  std::sort(order.begin(), order.end(), [&](uint64_t a, uint64_t b) { return keys[a] < keys[b]; });
  const auto same = std::adjacent_find(order.begin(), order.end(),
                                       [&](uint64_t a, uint64_t b) { return keys[a] == keys[b]; });
  if (same == order.end()) return order;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("two records have the key \"{}\", of {} and {}, and a pack is one list of keys; pack "
                  "them one by one",
                  keys[*same], dataset.SourceAt(*same), dataset.SourceAt(*(same + 1))));
}

// What the indexes give as the place of their records: the store that is written to, and there the prefix that the keys
// have had all along, so that what is relative to it (folders, stems, tables of labels) stays so.
std::string IndexSource(const Dataset& dataset, const std::vector<uint64_t>& by_key, const std::string& out) {
  std::string prefix = Runtime::KeyOf(Uri::Parse(dataset.SourceAt(0)));
  if (dataset.manifests().manifests().size() > 1) {
    const std::string first = dataset.Key(by_key.front());
    const std::string last = dataset.Key(by_key.back());
    prefix.assign(first.begin(), std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first);
    prefix.erase(prefix.rfind('/') + 1);
  }
  Uri uri = Uri::Parse(out);
  const bool absolute = uri.scheme == "file" && uri.key.starts_with('/');
  uri.key = absolute ? "/" + prefix : uri.scheme == "file" && prefix.empty() ? "./" : prefix;
  return uri.ToString();
}

class Packer {
 public:
  Packer(const Dataset& dataset, std::string_view out, const PackOptions& options,
         const std::stop_token& stop)
      : dataset_(dataset),
        options_(options),
        encoding_(EncodingOf(options)),
        linked_(stop, failed_.get_token()),
        place_(dataset, out, options.s3),
        by_key_(ByKey(dataset)),
        source_(IndexSource(dataset, by_key_, place_.uri())),
        samples_(dataset, encoding_, options.shuffle, options.short_side > 0, options.shard_size),
        plan_(MakePackPlan(samples_, encoding_, options)),
        memory_(DividePackMemory(Needs(), dataset.largest_record_uri())),
        requests_(std::max<size_t>(options.max_requests, 1)),
        pixels_(memory_.pixels),
        done_(plan_.shards()) {}

  PackReport Run() {
    if (options_.only) options_.only->Check(plan_.shards());
    place_.Claim(plan_.text, linked_.token());
    if (options_.short_side > 0) {
      const size_t threads = options_.threads > 0 ? options_.threads : std::thread::hardware_concurrency();
      pool_.emplace(std::max<size_t>(threads, 1), "bl-pack");
    }
    const ShardJobContext context = Context();
    ForEachShard(kLookedAtOnce, [&](size_t shard) { Look(context, shard); });
    ForEachShard(memory_.shards, [&](size_t shard) { Make(context, shard); });
    if (!options_.only) report_.index = WriteIndexes();
    report_.shards = static_cast<uint64_t>(std::count_if(
        done_.begin(), done_.end(), [](const DoneShard& shard) { return shard.index.size() > 0; }));
    return report_;
  }

 private:
  PackMemoryNeeds Needs() const {
    const S3Options& s3 = options_.s3 ? *options_.s3 : dataset_.runtime().options().s3;
    const uint64_t upload = (1 + S3Upload::kInFlight) * s3.multipart_part_size;
    return {
        .memory = options_.memory,
        .writer = std::max(upload, kReadBack) + kGathered + (encoding_.holds_shard ? options_.shard_size : 0),
        .largest_record = dataset_.largest_record(),
        .most_shards = std::max<size_t>(std::min(options_.max_shards, plan_.shards()), 1),
        .resize = options_.short_side > 0};
  }

  ShardJobContext Context() {
    StreamResources resources{.record_bytes = memory_.record_bytes,
                              .result_bytes = memory_.result_bytes,
                              .requests = &requests_,
                              .pixels = &pixels_,
                              .pool = pool_ ? &*pool_ : nullptr};
    if (options_.short_side > 0) resources.resize = RecompressRule{options_.short_side, options_.quality};
    return {.samples = samples_,
            .plan = plan_,
            .out = place_.store(),
            .prefix = place_.prefix(),
            .source = source_,
            .resources = resources,
            .verify = options_.verify,
            .bad = [this](const Error& why) { TakeBad(why); },
            .read = [this](uint64_t records, uint64_t bytes) { TakeRead(records, bytes); },
            .stop = linked_.token()};
  }

  // The first error of any shard stops all others, and is thrown.
  void ForEachShard(size_t width, const std::function<void(size_t shard)>& task) {
    std::optional<Error> first;
    RunParallel(plan_.shards(), width, [&](size_t shard) {
      if (options_.only && !options_.only->Contains(shard)) return;
      if (linked_.token().stop_requested()) return;
      const Result<void> result = Catch([&] { task(shard); });
      if (result) return;
      const std::lock_guard lock(mutex_);
      if (!first) first = result.error();
      failed_.request_stop();
    });
    if (first) throw *first;
    if (linked_.token().stop_requested()) throw Error(ErrorCode::kCancelled, "the pack was stopped");
  }

  void Look(const ShardJobContext& context, size_t shard) {
    const std::string name = plan_.ShardName(shard);
    std::optional<DoneShard> found =
        FindShard(context, shard, place_.Find(name), place_.Find(name + ".manifest"));
    if (!found) return;
    const uint64_t planned = plan_.first[shard + 1] - plan_.first[shard];
    uint64_t bytes = 0;
    for (uint64_t i = plan_.first[shard]; i < plan_.first[shard + 1]; ++i) bytes += samples_.BytesAt(i);
    const std::lock_guard lock(mutex_);
    if (found->index.size() > 0) ++report_.kept_shards;
    report_.records += found->index.size();
    report_.shard_bytes += found->bytes;
    looked_at_bytes_ += bytes;
    CountSkipped(planned - std::min(planned, found->index.size()));
    looked_at_ += planned;
    done_[shard] = *std::move(found);
    finished_.insert(shard);
    Tell();
  }

  void Make(const ShardJobContext& context, size_t shard) {
    {
      const std::lock_guard lock(mutex_);
      if (finished_.contains(shard)) return;
    }
    DoneShard made = MakeShard(context, shard);
    const std::lock_guard lock(mutex_);
    report_.records += made.index.size();
    report_.bytes_written += made.bytes;
    report_.shard_bytes += made.bytes;
    done_[shard] = std::move(made);
  }

  void TakeRead(uint64_t records, uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    looked_at_ += records;
    looked_at_bytes_ += bytes;
    report_.bytes_read += bytes;
    Tell();
  }

  void TakeBad(const Error& why) {
    if (!options_.skip_bad) throw why;
    const std::lock_guard lock(mutex_);
    if (options_.skipped) options_.skipped(why.uri(), why);
    CountSkipped(1);
  }

  // With mutex_ held.
  void CountSkipped(uint64_t count) {
    report_.skipped += count;
    const auto allowed =
        static_cast<uint64_t>(std::floor(options_.max_skipped * static_cast<double>(samples_.size()) + 1e-9));
    if (report_.skipped <= allowed || count == 0) return;
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("{} of {} records are bad, and at most {} may be left out; look at them, or raise "
                    "max_skipped",
                    report_.skipped, samples_.size(), allowed));
  }
  void Tell() {
    if (options_.progress) options_.progress(looked_at_, looked_at_bytes_);
  }

  // What stands beside the shards: the last that is written. The URI of the manifest.
  std::string WriteIndexes() {
    ManifestBuilder builder(source_, dataset_.part_names());
    std::vector<MdsShard> shards;
    for (size_t shard = 0; shard < done_.size(); ++shard) {
      const Manifest& index = done_[shard].index;
      for (uint64_t i = 0; i < index.size(); ++i) builder.Add(index.At(i));
      if (index.size() > 0) shards.push_back({plan_.ShardName(shard), done_[shard].bytes, index.size()});
    }
    Manifest all = std::move(builder).Build();
    if (all.size() == 0) throw Error(ErrorCode::kCorruptData, "every record is bad", place_.uri());
    all = all.WithLabels(LabelsOf(dataset_, IndicesOf(all)));
    if (&encoding_ == &kMdsEncoding) Put(kMdsIndexName, Bytes::Copy(MdsIndex(samples_.schema(), shards)));
    return Put(kPackIndexName, all.ToBytes());
  }

  std::string Put(std::string_view name, const Bytes& bytes) {
    const std::string key = place_.prefix() + std::string(name);
    PutBytes(*place_.store(), key, bytes.span(), {.stop = linked_.token()});
    return Uri::Parse(place_.uri()).Join(name).ToString();
  }

  // The dataset's numbers of the manifest's records, which are some of them, in its order.
  std::vector<uint64_t> IndicesOf(const Manifest& manifest) const {
    if (manifest.size() == by_key_.size()) return by_key_;
    std::vector<uint64_t> indices;
    for (const uint64_t index : by_key_) {
      if (indices.size() < manifest.size() && manifest.Key(indices.size()) == dataset_.Key(index)) {
        indices.push_back(index);
      }
    }
    return indices;
  }

  const Dataset& dataset_;
  const PackOptions& options_;
  const ShardEncoding& encoding_;
  std::stop_source failed_;
  LinkedStop linked_;
  PackPlace place_;
  const std::vector<uint64_t> by_key_;
  const std::string source_;
  const PackSamples samples_;
  const PackPlan plan_;
  const PackMemory memory_;
  MemoryBudget requests_;
  MemoryBudget pixels_;
  std::optional<ThreadPool> pool_;
  std::mutex mutex_;  // guards what follows
  std::vector<DoneShard> done_;
  std::set<size_t> finished_;  // by a run before
  uint64_t looked_at_ = 0;     // records
  uint64_t looked_at_bytes_ = 0;
  PackReport report_;
};

}  // namespace

uint64_t CountPackShards(const Dataset& dataset, const PackOptions& options) {
  CheckOptions(dataset, options);
  const ShardEncoding& encoding = EncodingOf(options);
  const PackSamples samples(dataset, encoding, options.shuffle, options.short_side > 0, options.shard_size);
  return MakePackPlan(samples, encoding, options).shards();
}

PackReport Pack(const Dataset& dataset, std::string_view out, const PackOptions& options,
                const std::stop_token& stop) {
  CheckOptions(dataset, options);
  return Packer(dataset, out, options, stop).Run();
}

}  // namespace bucketline
