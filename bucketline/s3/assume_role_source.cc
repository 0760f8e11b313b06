#include "bucketline/s3/assume_role_source.h"

#include <fmt/format.h>

namespace bucketline {

AssumeRoleSource::AssumeRoleSource(Role role, CredentialSourcePtr base, Sts sts, const Clock& clock)
    : role_(std::move(role)), base_(std::move(base)), sts_(std::move(sts)), clock_(clock) {}

Credentials AssumeRoleSource::Fetch(std::stop_token stop) {
  const Credentials signer = base_->Fetch(stop);
  CheckCredentials(signer, base_->Name());
  StringPairs parameters = {
      {"Action", "AssumeRole"},
      {"RoleArn", role_.arn},
      {"RoleSessionName", role_.session_name.empty() ? DefaultSessionName(clock_) : role_.session_name}};
  if (!role_.external_id.empty()) parameters.emplace_back("ExternalId", role_.external_id);
  if (!role_.duration_seconds.empty()) parameters.emplace_back("DurationSeconds", role_.duration_seconds);
  return sts_.Call(std::move(parameters), &signer, role_.arn, std::move(stop));
}

std::string AssumeRoleSource::Name() const {
  return fmt::format("the role {}, assumed with {}", role_.arn, base_->Name());
}

}  // namespace bucketline
