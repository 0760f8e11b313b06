// JobChannels: the channels of all hosts of a job.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "bucketline/channel/channel.h"
#include "bucketline/job/host_layout.h"
#include "bucketline/job/job_spec.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct JobChannelOptions {
  uint64_t memory = uint64_t{1} << 30;  // bytes that all channels together hold
};

// Below input/data of each host: whole files for File, served ones for FastFile and Pipe. Destroying it ends the serving,
// which is for after the scripts have ended; downloaded files stay.
class JobChannels {
 public:
  JobChannels(Runtime& runtime, const JobSpec& spec, std::vector<HostLayout> hosts,
              const JobChannelOptions& options);

  // Brings the files of File channels, one after the other. Throws naming the channel; kCancelled when stopped.
  void Download(const std::stop_token& stop);

  // Begins to serve the others. `failed` is called for the first failure of each, naming the channel. Throws as Download.
  void Serve(const ChannelFailure& failed, const std::stop_token& stop);

  bool AnyToDownload() const;
  uint64_t bytes() const;  // given to the hosts so far

 private:
  template <typename Call>
  void ForEach(bool files, Call call);

  Runtime& runtime_;
  const JobSpec& spec_;
  const std::vector<HostLayout> hosts_;
  const uint64_t memory_each_;
  uint64_t downloaded_ = 0;
  std::vector<std::unique_ptr<ServedChannel>> served_;
};

}  // namespace bucketline
