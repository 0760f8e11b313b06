// ProcessSource: a program that prints credentials, by credential_process of a profile.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
#pragma once

#include <string>

#include "bucketline/s3/credential_source.h"

namespace bucketline {

class ProcessSource : public CredentialSource {
 public:
  static constexpr Duration kDeadline = std::chrono::seconds(60);

  ProcessSource(std::string command, std::string profile);
  Credentials Fetch(std::stop_token stop) override;
  std::string Name() const override;

 private:
  const std::string command_;
  const std::string profile_;
};

}  // namespace bucketline
