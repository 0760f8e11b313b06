// bucketline pipe: the objects of a channel as FIFOs, one an epoch.
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/channel/pipe_channel.h"
#include "bucketline/store/make_folder.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  ChannelSpec spec;
  ChannelHost host;
  PipeOptions options;
  std::string folder;
  bool manifest = false;
  bool augmented = false;
  bool recordio = false;
  bool gzip = false;
};

// "1/4": the second of four.
ChannelHost ParseHost(const std::string& text) {
  ChannelHost host;
  const char* end = text.data() + text.size();
  const auto [slash, index_problem] = std::from_chars(text.data(), end, host.index);
  if (index_problem == std::errc() && slash != end && *slash == '/') {
    const auto [rest, count_problem] = std::from_chars(slash + 1, end, host.count);
    if (count_problem == std::errc() && rest == end && host.index < host.count) return host;
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("\"{}\" is no host; give i/n, with i from 0 to n - 1", text));
}

std::string CheckName(const std::string& name) {
  constexpr size_t kLongest = 64;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  const bool good =
      !name.empty() && name.size() <= kLongest && name.find_first_not_of(kLetters) == std::string::npos;
  return good ? "" : "a channel's name is 1 to 64 of the characters a-z A-Z 0-9 . - _";
}

ChannelSpec SpecOf(const Args& args) {
  ChannelSpec spec = args.spec;
  spec.mode = ChannelMode::kPipe;
  if (args.manifest) spec.data = ChannelData::kManifestFile;
  if (args.augmented) spec.data = ChannelData::kAugmentedManifestFile;
  if (args.recordio) spec.wrapper = ChannelWrapper::kRecordIo;
  if (args.gzip) spec.compression = ChannelCompression::kGzip;
  spec.sharded = args.host.count > 1;
  return spec;
}

void PrintSummary(const PipeChannel& channel, double seconds, bool json) {
  const PipeChannel::Counts counts = channel.counts();
  if (json) {
    const nlohmann::ordered_json object = {{"epochs", counts.whole},
                                           {"epochs_left_early", counts.left},
                                           {"pieces_per_epoch", channel.objects().pieces()},
                                           {"bytes", channel.bytes_served()},
                                           {"seconds", seconds}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("epochs: {} whole, {} left early; {} pieces each; {} in {:.2f} s\n", counts.whole, counts.left,
               channel.objects().pieces(), FormatByteSize(channel.bytes_served()), seconds);
  }
}

// True when all epochs that were asked for have ended; without a number, when no epoch was cut short.
bool ServeUntilDone(PipeChannel& channel, uint64_t epochs, const std::stop_token& stop) {
  try {
    channel.Wait(stop);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
  }
  channel.Stop();
  if (channel.counts().cut > 0) {
    fmt::print(stderr, "bucketline: stopped within an epoch; what its reader has got is not all of it\n");
  }
  return epochs == 0 && channel.counts().cut == 0;
}

int Run(const Args& args, bool json, const std::stop_token& stop) {
  MakeFolder(args.folder);
  RuntimeOptions connecting = args.connection.runtime;
  connecting.network_threads = std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
  Runtime runtime(connecting);
  PipeOptions options = args.options;
  options.objects.stop = stop;
  const auto channel =
      ServePipe(runtime, SpecOf(args), args.host, args.folder, options, [](const Error& error) {
        fmt::print(stderr,
                   "bucketline: {}\nbucketline: who reads the channel is kept waiting, and does not take "
                   "this for the "
                   "end; stop it\n",
                   error.what());
      });
  if (!json) {
    fmt::print("{}/{}_0 is there\n", args.folder, args.spec.name);
    std::fflush(stdout);
  }
  const auto start = std::chrono::steady_clock::now();
  const bool done = ServeUntilDone(*channel, args.options.epochs, stop);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  PrintSummary(*channel, elapsed.count(), json);
  return done ? kDone : kInterrupted;
}

}  // namespace

void AddPipe(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("pipe", "objects as a stream, one FIFO an epoch, until Ctrl-C");
  ChannelSpec& spec = args->spec;
  sub->add_option("uri", spec.uri, "s3://bucket/prefix, or the URI of a manifest")->required();
  sub->add_option("folder", args->folder, "where the FIFOs <name>_0, <name>_1, ... are made")->required();
  sub->add_option("--channel", spec.name, "the name")->required()->check(CheckName);
  sub->add_option("--epochs", args->options.epochs, "how many are served; 0: as many as are read")
      ->capture_default_str();
  auto* manifest =
      sub->add_flag("--manifest", args->manifest, "the URI is a JSON list of a prefix and suffixes");
  auto* augmented = sub->add_flag("--augmented-manifest", args->augmented, "the URI is a file of JSON lines");
  manifest->excludes(augmented);
  auto* attribute = sub->add_option("--attribute", spec.attributes,
                                    "field of the lines to send (repeatable, in this order)");
  attribute->needs(augmented);
  augmented->needs(attribute);
  sub->add_option("--shuffle", spec.shuffle_seed, "a seed: another order in every epoch");
  sub->add_flag("--recordio", args->recordio, "each object or attribute as a RecordIO record");
  sub->add_flag("--gzip", args->gzip, "the objects are gzip; send what is in them");
  AddParsed<ChannelHost>(*sub, "--host", args->host, ParseHost,
                         "i/n: only every n-th object, from the i-th on");
  AddByteSize(*sub, "--memory", args->options.memory, "for what is read ahead [256MiB]");
  AddNamed<PinMode>(*sub, "--pin", args->options.objects.pin,
                    {{"etag", PinMode::kEtag}, {"size", PinMode::kSize}, {"version", PinMode::kVersion}},
                    "what every read is bound to: etag | size | version [etag]");
  sub->add_flag("--json", invocation.json, "the summary as JSON");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](const std::stop_token& stop) {
      return Run(*args, invocation.json, stop);
    };
  });
}

}  // namespace bucketline::cli
