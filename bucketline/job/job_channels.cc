#include "bucketline/job/job_channels.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/channel/fast_file_channel.h"
#include "bucketline/channel/file_channel.h"
#include "bucketline/channel/pipe_channel.h"

namespace bucketline {
namespace {

Error OfChannel(const ChannelSpec& channel, const Error& error) {
  return Error(error.code(), fmt::format("channel {}: {}", channel.name, error.what()));
}

ChannelObjectsOptions Finding(const std::stop_token& stop) {
  ChannelObjectsOptions options;
  options.stop = stop;
  return options;
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
    FileChannelOptions options;
    options.objects = Finding(stop);
    options.index = layout.input() + "/." + channel.name + ".index";
    downloaded_ += DownloadChannel(runtime_, channel, host, layout.channel(channel.name), options).bytes;
  });
}

void JobChannels::Serve(const ChannelFailure& failed, const std::stop_token& stop) {
  ForEach(false, [&](const ChannelSpec& channel, ChannelHost host, const HostLayout& layout) {
    const ChannelFailure named = [failed, &channel](const Error& error) {
      failed(OfChannel(channel, error));
    };
    if (channel.mode == ChannelMode::kPipe) {
      PipeOptions options;
      options.memory = memory_each_;
      options.objects = Finding(stop);
      served_.push_back(ServePipe(runtime_, channel, host, layout.data(), options, named));
    } else {
      FastFileOptions options;
      options.objects = Finding(stop);
      options.mount.memory = memory_each_;
      options.failed = named;
      served_.push_back(ServeFastFile(runtime_, channel, host, layout.channel(channel.name), options));
    }
  });
}

uint64_t JobChannels::bytes() const {
  uint64_t total = downloaded_;
  for (const auto& channel : served_) total += channel->bytes_served();
  return total;
}

}  // namespace bucketline
