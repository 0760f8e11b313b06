#include "bucketline/job/job_channels.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/channel/channel_objects.h"
#include "bucketline/channel/local_paths.h"
#include "bucketline/dataset/download.h"
#include "bucketline/store/file_store.h"

namespace bucketline {
namespace {

Error OfChannel(const ChannelSpec& channel, const Error& error) {
  return Error(error.code(), fmt::format("channel {}: {}", channel.name, error.what()));
}

uint64_t DownloadFiles(Runtime& runtime, const ChannelSpec& channel, ChannelHost host,
                       const std::string& folder, const std::stop_token& stop) {
  const ChannelObjects objects =
      ChannelObjects::Open(runtime, channel, host, {.s3 = {}, .listing_progress = {}, .stop = stop});
  CheckPaths(objects.files(), objects.path_start());
  const std::unique_ptr<ObjectStore> target = MakeFileStore(folder);
  const DownloadReport report = bucketline::Download(objects.files(), target.get(), {}, stop);
  if (report.failed > 0) throw report.failures.front();
  return report.bytes;
}

}  // namespace

JobChannels::JobChannels(Runtime& runtime, const JobSpec& spec, std::vector<HostLayout> hosts,
                         const JobChannelOptions& options)
    : runtime_(runtime),
      spec_(spec),
      hosts_(std::move(hosts)),
      memory_each_(options.memory / std::max<size_t>(1, spec.channels.size() * hosts_.size())) {}

template <typename Call>
void JobChannels::ForEach(bool files, Call call) {
  for (const auto& [channel, content_type] : spec_.channels) {
    if ((channel.mode == ChannelMode::kFile) != files) continue;
    for (size_t i = 0; i < hosts_.size(); ++i) {
      try {
        call(channel, ChannelHost{.index = i, .count = hosts_.size()}, hosts_[i]);
      } catch (const Error& error) {
        throw OfChannel(channel, error);
      }
    }
  }
}

bool JobChannels::AnyToDownload() const {
  return std::any_of(spec_.channels.begin(), spec_.channels.end(),
                     [](const JobChannel& channel) { return channel.channel.mode == ChannelMode::kFile; });
}

void JobChannels::Download(const std::stop_token& stop) {
  ForEach(true, [&](const ChannelSpec& channel, ChannelHost host, const HostLayout& layout) {
    std::filesystem::create_directories(layout.channel(channel.name));
    downloaded_ += DownloadFiles(runtime_, channel, host, layout.channel(channel.name), stop);
  });
}

void JobChannels::Serve(const ChannelFailure& failed, const std::stop_token& stop) {
  ForEach(false, [&](const ChannelSpec&, ChannelHost, const HostLayout&) {
    static_cast<void>(failed);
    static_cast<void>(stop);
    throw Error(ErrorCode::kUnsupported, "not yet");
  });
}

uint64_t JobChannels::bytes() const {
  uint64_t total = downloaded_;
  for (const auto& channel : served_) total += channel->bytes_served();
  return total;
}

}  // namespace bucketline
