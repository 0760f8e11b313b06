#include "cli/common_options.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <sstream>

#include "cli/line_file.h"
#include "cli/live_line.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/dataset/braces.h"
#include "bucketline/dataset/channel_place.h"
#include "bucketline/dataset/listing_pace.h"
#include "bucketline/records/shard_format.h"

namespace bucketline::cli {
namespace {

constexpr uint64_t kShownBadSamples = 10;

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> pieces;
  std::istringstream stream(text);
  for (std::string piece; std::getline(stream, piece, ',');) {
    if (!piece.empty()) pieces.push_back(piece);
  }
  return pieces;
}

bool IsTable(const std::string& labels) {
  return labels.ends_with(".csv") || labels.ends_with(".json") || labels.ends_with(".jsonl");
}

const char* Environment(const char* name) { return std::getenv(name); }

}  // namespace

void ConnectionArgs::AddTo(CLI::App& app) {
  S3Options& s3 = runtime.s3;
  const std::string group = "Connection";
  app.add_option("--endpoint-url", s3.endpoint_url,
                 "S3 endpoint, http://host:port; else AWS_ENDPOINT_URL_S3, AWS")
      ->group(group);
  app.add_option("--region", s3.region, "else AWS_REGION, the profile, us-east-1")->group(group);
  app.add_option("--profile", s3.profile, "of the shared credentials and config files")->group(group);
  AddNamed<Addressing>(
      app, "--addressing", s3.addressing,
      {{"auto", Addressing::kAuto}, {"path", Addressing::kPath}, {"virtual", Addressing::kVirtual}},
      "auto | path (host/bucket/key) | virtual (bucket.host/key) [auto]")
      ->group(group);
  app.add_flag("--anonymous", s3.anonymous, "send unsigned requests")->group(group);
  app.add_flag("--requester-pays", s3.requester_pays, "accept the cost of requests to such buckets")
      ->group(group);
  app.add_option("--max-attempts", s3.max_attempts, "of one request, the first included")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->group(group);
  AddParsed<Duration>(
      app, "--deadline", s3.deadline, [](const std::string& text) { return ParseDuration(text); },
      "of one request with all its attempts [180s]")
      ->group(group);
  AddNamed<bool>(app, "--hedge", runtime.hedge, {{"on", true}, {"off", false}},
                 "on | off: small reads that are late are asked for again, at most 3 in 100 [on]")
      ->group(group);
  app.add_option("--connections", runtime.connections, "kept alive at most")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->group(group);
}

void DatasetArgs::AddTo(CLI::App& app, std::string default_labels) {
  labels = std::move(default_labels);
  app.add_option(
         "uri", uri,
         "s3://bucket/prefix/, a folder, shards (s3://bucket/train-{000..146}.tar), a saved .manifest, or "
         "channel:NAME in a training job")
      ->required();
  app.add_option("--default", default_uri, "what channel:NAME is outside a training job");
  app.add_option("--labels", labels,
                 "none | folder | parent | the URI of a .csv, .json or .jsonl table | of shards: a member "
                 "(cls), or a field of one (json:category)")
      ->capture_default_str();
  app.add_option("--label-key", label_key, "column of the table that names the sample")
      ->capture_default_str();
  app.add_option("--label-field", label_field, "column of the table that holds the label")
      ->capture_default_str();
  AddNamed<Missing>(
      app, "--missing", missing, {{"error", Missing::kError}, {"drop", Missing::kDrop}},
      "what a sample without a label, or a shard's without one of its parts, is: error | drop (it is left "
      "out) [error]");
  app.add_option("--extensions", extensions, "which keys count, by their ending; \"\" for all")
      ->capture_default_str();
  app.add_option("--classes", classes, "the names of the labels, in the order of their numbers: cat,dog");
  app.add_option(format_option, format, "auto (by the ending) | objects | tfds | " + ShardFormatNames())
      ->capture_default_str();
  app.add_option("--split", split, "of tfds: train, test, ...");
  app.add_option("--parts", parts,
                 "of shards: members that are a record's parts: \"image=jpg;png,mask=seg.png\"");
  app.add_flag("--skip-damaged", skip_damaged, "of shards: warn of damage and leave out what it touches");
  app.add_option("--pin", pin, "what every read is bound to: etag | size | version")
      ->check(CLI::IsMember({"etag", "size", "version"}))
      ->capture_default_str();
}

Labels DatasetArgs::MakeLabels() const {
  if (labels == "none") return Labels::None();
  Labels made = RuleOfLabels();
  if (!classes.empty()) made.Classes(SplitAtCommas(classes));
  return made;
}

Labels DatasetArgs::RuleOfLabels() const {
  if (labels == "folder") return Labels::Folder();
  if (labels == "parent") return Labels::Parent();
  if (IsTable(labels)) return Labels::Table(labels, label_key, label_field);
  if (labels.find("://") != std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument, "a table of labels ends in .csv, .json or .jsonl", labels);
  }
  const size_t colon = labels.find(':');
  return Labels::Member(labels.substr(0, colon), colon == std::string::npos ? "" : labels.substr(colon + 1));
}

std::optional<Stream> DatasetArgs::OpenPipe(Runtime& runtime) const {
  const std::optional<std::string> name = ChannelName(uri);
  const std::optional<ChannelPlace> place = name ? FindChannel(*name, Environment) : std::nullopt;
  if (!place || !place->is_pipe) return std::nullopt;
  if (labels != "none" && labels != "folder" && labels != "parent") {
    throw Error(ErrorCode::kInvalidArgument,
                "the samples of a Pipe have no keys to look labels up by; send the label as the second "
                "attribute of an "
                "AugmentedManifestFile, and leave --labels out",
                uri);
  }
  return Stream(runtime, *place, {.labels = labels != "none", .classes = SplitAtCommas(classes)});
}

PinMode DatasetArgs::Pin() const {
  return pin == "size" ? PinMode::kSize : pin == "version" ? PinMode::kVersion : PinMode::kEtag;
}

Dataset DatasetArgs::Open(Runtime& runtime, const std::string& other_uri) const {
  return OpenWith(runtime, other_uri, [](const std::vector<std::string>&, DatasetOptions*) {});
}

Dataset DatasetArgs::OpenWith(
    Runtime& runtime, const std::string& other_uri,
    const std::function<void(const std::vector<std::string>& uris, DatasetOptions* options)>& change) const {
  LiveLine line;
  DatasetOptions options;
  options.labels = MakeLabels().IfMissing(missing);
  options.extensions = SplitAtCommas(extensions);
  options.format = format;
  options.split = split;
  for (const std::string& part : SplitAtCommas(parts)) options.parts.push_back(PartChoice::Parse(part));
  options.missing = missing;
  options.damaged = skip_damaged ? Damaged::kSkip : Damaged::kError;
  options.pin = Pin();
  options.stop = stop;
  std::optional<uint64_t> left;
  ListingPace pace;
  options.listing_left = [&](std::optional<uint64_t> now) { left = now; };
  options.listing_progress = [&](uint64_t objects) {
    const ListingProgress progress = pace.Take(objects, left);
    line.Update([&] { return fmt::format("listing {}: {}", other_uri, ListingText(progress)); });
  };
  const std::optional<std::string> channel = ChannelName(other_uri);
  const bool elsewhere = channel && !default_uri.empty() && !FindChannel(*channel, Environment);
  const std::vector<std::string> uris = {elsewhere ? default_uri : other_uri};
  change(uris, &options);
  return Dataset::OpenAll(runtime, uris, std::move(options));
}

void AddCacheOptions(CLI::App& app, CacheOptions& target) {
  const std::string group = "Cache";
  app.add_option(
         "--cache", target.folder,
         "folder on a local disk that keeps what was read, for all processes and jobs of this machine")
      ->group(group);
  AddByteSize(app, "--cache-size", target.size,
              "bytes of disk that it may take (200GiB); else as it was given before")
      ->group(group);
  app.add_flag("--cache-pixels", target.pixels,
               "it keeps decoded pixels, as they are before flip and jitter, instead of the objects; not for "
               "random crops")
      ->group(group)
      ->needs("--cache");
}

CLI::Option* AddByteSize(CLI::App& app, const std::string& name, uint64_t& target, const std::string& help) {
  return AddParsed<uint64_t>(
      app, name, target, [](const std::string& text) { return ParseByteSize(text); }, help);
}

CLI::Option* AddWindow(CLI::App& app, uint64_t& target) {
  return app
      .add_option(
          "--window", target,
          "shuffle the records of so many shards at a time (of raw objects 64 keys are one), not of all")
      ->check(CLI::Range(uint64_t{1}, uint64_t{0xffffffff}));
}

CLI::Option* AddOnError(CLI::App& app, OnError& target) {
  return AddNamed<OnError>(app, "--on-error", target,
                           {{"raise", OnError::kRaise}, {"skip", OnError::kSkip}, {"mask", OnError::kMask}},
                           "what a broken image does: raise | skip | mask [raise]");
}

std::function<void(const BadSample&)> BadSampleReport(const std::string& path, const LogSink& log) {
  struct Shared {
    explicit Shared(const std::string& path) : file(path) {}

    std::mutex mutex;
    LineFile file;
    uint64_t shown = 0;
  };
  auto shared = std::make_shared<Shared>(path);
  return [shared, log](const BadSample& bad) {
    std::lock_guard lock(shared->mutex);
    if (shared->file.is_open()) {
      const nlohmann::ordered_json object = {{"epoch", bad.epoch},
                                             {"position", bad.position},
                                             {"uri", bad.uri},
                                             {"reason", bad.reason},
                                             {"replaced_by", bad.replaced_by}};
      shared->file.Write(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (shared->shown++ < kShownBadSamples) {
      log(LogLevel::kWarning, fmt::format("bad sample {}: {}{}", bad.uri, bad.reason,
                                          shared->shown == kShownBadSamples ? " (more are not shown)" : ""));
    }
  };
}

}  // namespace bucketline::cli
