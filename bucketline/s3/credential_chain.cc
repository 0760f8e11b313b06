#include "bucketline/s3/credential_chain.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/s3/cached_credentials.h"
#include "bucketline/s3/container_source.h"
#include "bucketline/s3/environment_keys.h"
#include "bucketline/s3/imds_source.h"
#include "bucketline/s3/profile_sources.h"

namespace bucketline {
namespace {

Error Nothing(const S3Options& options, const SharedProfile& profile, std::string_view instance) {
  return Error(
      ErrorCode::kUnauthenticated,
      fmt::format(
          "no credentials: looked at the options, {}profile '{}' in '{}' and '{}', the container's variables "
          "and {}. Set them in one of these places, or read a public bucket anonymously",
          options.profile.empty() ? "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " : "", profile.name,
          profile.credentials_file, profile.config_file, instance));
}

// The end of the chain: most machines have no such service, and then everything that was looked at counts.
class LastResort : public CredentialSource {
 public:
  LastResort(const S3Options& options, const SharedProfile& profile, const CredentialContext& context)
      : options_(options), profile_(profile), imds_(context) {}

  Credentials Fetch(std::stop_token stop) override {
    Result<Credentials> fetched = Catch([&] { return imds_.Fetch(stop); });
    if (fetched) {
      found_ = true;
    } else if (!found_ && fetched.error().code() != ErrorCode::kCancelled) {
      throw Nothing(options_, profile_, fmt::format("{} ({})", imds_.Name(), fetched.error().message()));
    }
    return std::move(fetched).ValueOrThrow();
  }
  std::string Name() const override { return imds_.Name(); }
  bool OutlivesExpiry() const override { return imds_.OutlivesExpiry(); }

 private:
  const S3Options options_;
  const SharedProfile profile_;
  ImdsSource imds_;
  bool found_ = false;  // the service has answered once: from now on its failures are just that
};

CredentialSourcePtr FindSource(const S3Options& options, const SharedProfile& profile,
                               const std::string& region, const CredentialContext& context) {
  const ProfileSources sources(context, region);
  if (auto source = sources.AssumedRole(profile)) return source;
  if (options.profile.empty()) {
    if (auto source = sources.WebIdentityOfEnvironment(profile)) return source;
  }
  if (auto source = sources.Others(profile)) return source;
  if (auto url = ContainerSource::FindUrl(context.variables)) {
    return std::make_unique<ContainerSource>(*std::move(url), context);
  }
  if (ImdsSource::Disabled(context.variables)) {
    throw Nothing(options, profile, "the instance's metadata (AWS_EC2_METADATA_DISABLED is true)");
  }
  return std::make_unique<LastResort>(options, profile, context);
}

}  // namespace

std::shared_ptr<CredentialsProvider> FindCredentials(const S3Options& options, const SharedProfile& profile,
                                                     const std::string& region,
                                                     const CredentialContext& context) {
  if (options.anonymous) return nullptr;
  if (!options.access_key_id.empty() || !options.secret_access_key.empty()) {
    return StaticCredentials({options.access_key_id, options.secret_access_key, options.session_token},
                             "the options");
  }
  if (options.profile.empty()) {
    if (auto keys = FindEnvironmentKeys(context.variables)) {
      return StaticCredentials(*std::move(keys), kEnvironmentKeys);
    }
  }
  return std::make_shared<CachedCredentials>(FindSource(options, profile, region, context), *context.clock,
                                             context.log);
}

}  // namespace bucketline
