// Whether an endpoint can be reached: its name, a connection, its clock.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/http/fetch.h"
#include "bucketline/inspect/doctor.h"
#include "bucketline/s3/s3_facts.h"

namespace bucketline {

DoctorCheck CheckDns(const std::string& host_and_port);

// An unsigned request to the endpoint: any answer at all is good. `reply` is it.
DoctorCheck CheckConnection(HttpTransport& transport, const S3Facts& facts, Duration patience,
                            std::stop_token stop, std::optional<HttpReply>& reply);

DoctorCheck JudgeClock(const HttpReply& reply, WallTime now);

}  // namespace bucketline
