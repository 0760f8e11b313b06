#include "bucketline/s3/web_identity_source.h"

#include <fmt/format.h>

#include "bucketline/s3/secret_file.h"

namespace bucketline {

WebIdentitySource::WebIdentitySource(std::string role_arn, std::string session_name, std::string token_file,
                                     Sts sts, const Clock& clock)
    : role_arn_(std::move(role_arn)),
      session_name_(std::move(session_name)),
      token_file_(std::move(token_file)),
      sts_(std::move(sts)),
      clock_(clock) {}

Credentials WebIdentitySource::Fetch(std::stop_token stop) {
  return sts_.Call({{"Action", "AssumeRoleWithWebIdentity"},
                    {"RoleArn", role_arn_},
                    {"RoleSessionName", session_name_.empty() ? DefaultSessionName(clock_) : session_name_},
                    {"WebIdentityToken", ReadSecretFile(token_file_)}},
                   nullptr, role_arn_, std::move(stop));
}

std::string WebIdentitySource::Name() const {
  return fmt::format("the role {}, with the web identity in '{}'", role_arn_, token_file_);
}

}  // namespace bucketline
