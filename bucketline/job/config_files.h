// The files of /opt/ml/input/config, as the container contract has them.
#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "bucketline/job/host_layout.h"
#include "bucketline/job/job_spec.h"

namespace bucketline {

// The interface that the hosts of a job reach each other by: they are processes of one machine.
constexpr const char* kNetworkInterface = "lo";
constexpr const char* kInstanceGroup = "homogeneousCluster";

// "File", "FastFile" or "Pipe".
const char* ChannelModeName(ChannelMode mode);

nlohmann::ordered_json HyperparametersConfig(const JobSpec& spec);  // text to text
nlohmann::ordered_json InputDataConfig(const JobSpec& spec);        // by channel
nlohmann::ordered_json ResourceConfig(const JobSpec& spec, size_t host);

// Writes the three. Throws kIo naming the path.
void WriteConfigFiles(const JobSpec& spec, size_t host, const HostLayout& layout);

}  // namespace bucketline
