#include "bucketline/channel/fast_file_channel.h"

#include <cstdint>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/exec/thread_pool.h"

namespace bucketline {
namespace {

constexpr uint64_t kNamedKeys = 5;

// Logs the first few keys that are left out, and tells the caller's hook of all.
class LeftOutLog {
 public:
  LeftOutLog(LogSink log, LeftOut also) : log_(std::move(log)), also_(std::move(also)) {}

  void Add(std::string_view key, std::string_view reason) {
    if (also_) also_(key, reason);
    if (count_++ < kNamedKeys) log_(LogLevel::kWarning, fmt::format("left out \"{}\": {}", key, reason));
  }
  void Close(const std::string& channel) const {
    if (count_ == 0) return;
    log_(LogLevel::kWarning,
         fmt::format("channel {}: {} keys cannot be files and are left out", channel, count_));
  }

 private:
  const LogSink log_;
  const LeftOut also_;
  uint64_t count_ = 0;
};

class FastFileChannel : public ServedChannel {
 public:
  FastFileChannel(const ChannelObjects& objects, const std::string& folder, const MountOptions& options,
                  ChannelFailure failed)
      : mount_(objects.files(), MountPathStart(objects.objects()), folder, options),
        watcher_(StartThread("bl-mount-watch", [this, folder, failed = std::move(failed)] {
          if (mount_.WaitUntilGone(stop_.get_token()) && failed) {
            failed(Error(ErrorCode::kIo, "the channel was unmounted while it was served", folder));
          }
        })) {}

  ~FastFileChannel() override {
    stop_.request_stop();
    watcher_.join();
  }

  uint64_t bytes_served() const override { return mount_.bytes_read(); }

 private:
  std::stop_source stop_;
  Mount mount_;
  std::thread watcher_;
};

}  // namespace

std::unique_ptr<ServedChannel> ServeFastFile(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                             const std::string& folder, FastFileOptions options) {
  if (spec.data != ChannelData::kS3Prefix) {
    throw Error(ErrorCode::kInvalidArgument,
                "a FastFile channel is of a prefix; read a manifest as File or Pipe", spec.uri);
  }
  const ChannelObjects objects = ChannelObjects::Open(runtime, spec, host, options.objects);
  LeftOutLog left_out(runtime.log(), std::move(options.mount.left_out));
  options.mount.left_out = [&](std::string_view key, std::string_view reason) { left_out.Add(key, reason); };
  if (geteuid() == 0) options.mount.allow_other = true;
  auto channel = std::make_unique<FastFileChannel>(objects, folder, options.mount, std::move(options.failed));
  left_out.Close(spec.name);
  return channel;
}

}  // namespace bucketline
