#include "bucketline/s3/profile_sources.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/http/ascii.h"
#include "bucketline/s3/assume_role_source.h"
#include "bucketline/s3/configured_endpoint.h"
#include "bucketline/s3/container_source.h"
#include "bucketline/s3/environment_keys.h"
#include "bucketline/s3/imds_source.h"
#include "bucketline/s3/process_source.h"
#include "bucketline/s3/profile_keys_source.h"
#include "bucketline/s3/sso_source.h"
#include "bucketline/s3/web_identity_source.h"

namespace bucketline {
namespace {

constexpr const char* kExport =
    "put temporary credentials into AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, for "
    "example with "
    "`aws configure export-credentials --format env`";

Error Wrong(const SharedProfile& profile, std::string_view why) {
  return Error(ErrorCode::kInvalidArgument, fmt::format("profile '{}' {}", profile.name, why));
}

Error Unsupported(const SharedProfile& profile, const char* key, std::string_view what) {
  return Error(ErrorCode::kUnsupported,
               fmt::format("credentials by {} ({} of profile '{}') are not built in; {}", what, key,
                           profile.name, kExport));
}

bool HasAssumedRole(const SharedProfile& profile) {
  return profile.Find("role_arn") && !profile.Find("web_identity_token_file");
}

// The keys of the environment, as a role's base.
class EnvironmentSource : public CredentialSource {
 public:
  explicit EnvironmentSource(EnvironmentVariables variables) : variables_(std::move(variables)) {}

  Credentials Fetch(std::stop_token) override {
    if (auto credentials = FindEnvironmentKeys(variables_)) return *std::move(credentials);
    throw Error(ErrorCode::kUnauthenticated,
                fmt::format("{} are not set, but credential_source is Environment", Name()));
  }
  std::string Name() const override { return kEnvironmentKeys; }

 private:
  const EnvironmentVariables variables_;
};

}  // namespace

ProfileSources::ProfileSources(const CredentialContext& context, std::string region)
    : context_(context), region_(std::move(region)) {}

CredentialSourcePtr ProfileSources::AssumedRole(const SharedProfile& profile) const {
  return AssumedRole(profile, {});
}

CredentialSourcePtr ProfileSources::AssumedRole(const SharedProfile& profile, Names visited) const {
  if (!HasAssumedRole(profile)) return nullptr;
  const auto source_profile = profile.Find("source_profile");
  const auto credential_source = profile.Find("credential_source");
  if (source_profile.has_value() == credential_source.has_value()) {
    throw Wrong(profile, source_profile ? "has both source_profile and credential_source; keep one"
                                        : "has a role_arn; it needs source_profile or credential_source too");
  }
  if (profile.Find("mfa_serial")) throw Unsupported(profile, "mfa_serial", "a code that somebody types");
  visited.push_back(profile.name);
  CredentialSourcePtr base = source_profile ? SourceProfile(*source_profile, profile, std::move(visited))
                                            : NamedSource(*credential_source, profile);
  const std::string region = profile.Find("region").value_or(region_);
  return std::make_unique<AssumeRoleSource>(
      Role{*profile.Find("role_arn"), profile.Find("role_session_name").value_or(""),
           profile.Find("external_id").value_or(""), profile.Find("duration_seconds").value_or("")},
      std::move(base), Sts(context_, ConfiguredEndpointUrl("sts", context_.variables, profile), region),
      *context_.clock);
}

// A profile may name itself when it has keys: those are the base of its own role.
CredentialSourcePtr ProfileSources::SourceProfile(const std::string& name, const SharedProfile& parent,
                                                  Names visited) const {
  const auto profile = FindSharedProfile(name, context_.variables);
  if (!profile) throw Wrong(parent, fmt::format("names the source_profile '{}', which does not exist", name));
  const bool again = std::ranges::find(visited, name) != visited.end();
  if (again && (name != parent.name || !HasKeys(*profile))) {
    throw Wrong(parent, fmt::format("names the source_profile '{}', which goes round in a circle", name));
  }
  CredentialSourcePtr source = HasAssumedRole(*profile) && !HasKeys(*profile)
                                   ? AssumedRole(*profile, std::move(visited))
                                   : Others(*profile);
  if (!source)
    throw Wrong(parent, fmt::format("names the source_profile '{}', which has no credentials", name));
  return source;
}

CredentialSourcePtr ProfileSources::NamedSource(const std::string& name, const SharedProfile& profile) const {
  if (EqualsIgnoringCase(name, "Environment")) return std::make_unique<EnvironmentSource>(context_.variables);
  if (EqualsIgnoringCase(name, "Ec2InstanceMetadata")) return std::make_unique<ImdsSource>(context_);
  if (!EqualsIgnoringCase(name, "EcsContainer")) {
    throw Wrong(profile, fmt::format("has the credential_source '{}'; it is Environment, EcsContainer or "
                                     "Ec2InstanceMetadata",
                                     name));
  }
  auto url = ContainerSource::FindUrl(context_.variables);
  if (!url) {
    throw Wrong(profile,
                "has the credential_source EcsContainer, but AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
                "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set");
  }
  return std::make_unique<ContainerSource>(*std::move(url), context_);
}

CredentialSourcePtr ProfileSources::WebIdentity(const SharedProfile& profile) const {
  const auto file = profile.Find("web_identity_token_file");
  if (!file) return nullptr;
  const auto role = profile.Find("role_arn");
  if (!role) throw Wrong(profile, "has a web_identity_token_file; it needs role_arn too");
  return std::make_unique<WebIdentitySource>(
      *role, profile.Find("role_session_name").value_or(""), ExpandHome(*file, context_.variables),
      Sts(context_, ConfiguredEndpointUrl("sts", context_.variables, profile), region_), *context_.clock);
}

CredentialSourcePtr ProfileSources::WebIdentityOfEnvironment(const SharedProfile& profile) const {
  const auto file = FindVariable(context_.variables, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!file) return nullptr;
  const auto role = FindVariable(context_.variables, "AWS_ROLE_ARN");
  if (!role) {
    throw Error(ErrorCode::kInvalidArgument,
                "AWS_WEB_IDENTITY_TOKEN_FILE is set; AWS_ROLE_ARN is needed too");
  }
  return std::make_unique<WebIdentitySource>(
      *role, FindVariable(context_.variables, "AWS_ROLE_SESSION_NAME").value_or(""), *file,
      Sts(context_, ConfiguredEndpointUrl("sts", context_.variables, profile), region_), *context_.clock);
}

CredentialSourcePtr ProfileSources::Others(const SharedProfile& profile) const {
  if (auto source = WebIdentity(profile)) return source;
  if (profile.Find("sso_account_id") || profile.Find("sso_role_name")) {
    return std::make_unique<SsoSource>(profile, context_);
  }
  const auto keys = [&] { return std::make_unique<ProfileKeysSource>(profile, context_.variables); };
  if (profile.keys_in_credentials_file) return keys();
  if (profile.Find("login_session")) throw Unsupported(profile, "login_session", "a login session");
  if (const auto command = profile.Find("credential_process")) {
    return std::make_unique<ProcessSource>(*command, profile.name);
  }
  if (HasKeys(profile)) return keys();
  return nullptr;
}

}  // namespace bucketline
