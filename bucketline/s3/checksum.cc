#include "bucketline/s3/checksum.h"

#include <array>

#include <fmt/format.h>

#include "bucketline/base/hash.h"
#include "bucketline/http/ascii.h"

namespace bucketline {
namespace {

bool IsWanted(const EnvironmentVariables& variables, const SharedProfile& profile, const char* variable,
              const char* key, bool otherwise) {
  std::optional<std::string> value = FindVariable(variables, variable);
  std::string source = variable;
  if (!value) {
    value = profile.Find(key);
    source = fmt::format("{} of profile '{}'", key, profile.name);
  }
  if (!value) return otherwise;
  if (EqualsIgnoringCase(*value, "when_supported")) return true;
  if (EqualsIgnoringCase(*value, "when_required")) return false;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{} is '{}'; it must be when_supported or when_required", source, *value));
}

}  // namespace

std::optional<ObjectChecksum> ChecksumOfObject(const HttpHeaders& headers) {
  const auto type = headers.Find("x-amz-checksum-type");
  if (!type || !EqualsIgnoringCase(*type, "FULL_OBJECT")) return std::nullopt;
  for (const char* algorithm : {"crc64nvme", "crc32c", "crc32", "sha256"}) {
    const auto value = headers.Find(fmt::format("x-amz-checksum-{}", algorithm));
    if (value && !value->empty()) return ObjectChecksum{algorithm, std::string(*value)};
  }
  return std::nullopt;
}

std::optional<std::string> ChecksumCheck::Difference() {
  const std::string found = Base64(digest_->Finish());
  if (found == expected_.base64) return std::nullopt;
  return fmt::format("{} {} instead of {}", expected_.algorithm, found, expected_.base64);
}

ChecksumUse ResolveChecksumUse(bool custom_endpoint, const EnvironmentVariables& variables,
                               const SharedProfile& profile) {
  return {.verify = IsWanted(variables, profile, "AWS_RESPONSE_CHECKSUM_VALIDATION",
                             "response_checksum_validation", !custom_endpoint),
          .send = IsWanted(variables, profile, "AWS_REQUEST_CHECKSUM_CALCULATION",
                           "request_checksum_calculation", !custom_endpoint)};
}

std::string Base64Of(uint64_t crc64nvme) {
  std::array<uint8_t, 8> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(crc64nvme >> (56 - 8 * i));
  return Base64(bytes);
}

void AddChecksum(S3Request& request, uint64_t crc64nvme) {
  request.headers.emplace_back("x-amz-checksum-crc64nvme", Base64Of(crc64nvme));
}

}  // namespace bucketline
