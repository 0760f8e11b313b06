#include "bucketline/s3/credentials.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace bucketline {
namespace {

class StaticProvider : public CredentialsProvider {
 public:
  explicit StaticProvider(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> Current() override { return credentials_; }

 private:
  const Credentials credentials_;
};

struct Search {
  const S3Options& options;
  const EnvironmentVariables& variables;
  const SharedProfile& profile;
};

using Provider = std::shared_ptr<CredentialsProvider>;

Provider Checked(Credentials credentials, std::string_view where) {
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "{}: an access key id and a secret access key belong together, but one of them is missing",
            where));
  }
  for (const std::string* text :
       {&credentials.access_key_id, &credentials.secret_access_key, &credentials.session_token}) {
    for (const char c : *text) {
      if (c > ' ' && c < '\x7f') continue;
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("{}: the credentials hold a blank, a line break or another character that no key has; "
                      "copy them again",
                      where));
    }
  }
  return StaticCredentials(std::move(credentials));
}

Error Unsupported(std::string_view what, std::string_view where) {
  return Error(
      ErrorCode::kUnsupported,
      fmt::format("credentials by {} ({}) are not built in; put temporary ones into AWS_ACCESS_KEY_ID, "
                  "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, for example with "
                  "`aws configure export-credentials --format env`",
                  what, where));
}

Provider FromOptions(const Search& search) {
  const S3Options& o = search.options;
  if (o.access_key_id.empty() && o.secret_access_key.empty()) return nullptr;
  return Checked({o.access_key_id, o.secret_access_key, o.session_token}, "the options");
}

Provider FromEnvironment(const Search& search) {
  if (!search.options.profile.empty()) return nullptr;
  auto id = FindVariable(search.variables, "AWS_ACCESS_KEY_ID");
  auto secret = FindVariable(search.variables, "AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return nullptr;
  return Checked({id.value_or(""), secret.value_or(""),
                  FindVariable(search.variables, "AWS_SESSION_TOKEN").value_or("")},
                 "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

Provider FromWebIdentity(const Search& search) {
  if (search.options.profile.empty() && FindVariable(search.variables, "AWS_WEB_IDENTITY_TOKEN_FILE")) {
    throw Unsupported("web identity", "AWS_WEB_IDENTITY_TOKEN_FILE");
  }
  return nullptr;
}

// Sources that botocore prefers to keys of the same profile must not be passed over for them: it would be a
// different identity.
Provider FromProfile(const Search& search) {
  static constexpr std::array<std::pair<const char*, const char*>, 4> kBeforeKeys = {{
      {"role_arn", "assuming a role"},
      {"web_identity_token_file", "web identity"},
      {"sso_session", "single sign-on"},
      {"sso_start_url", "single sign-on"},
  }};
  static constexpr std::array<std::pair<const char*, const char*>, 3> kAfterKeys = {{
      {"login_session", "a login session"},
      {"credential_process", "an external process"},
      {"credential_source", "another source"},
  }};
  const SharedProfile& profile = search.profile;
  const auto refuse = [&](const auto& table) {
    for (const auto& [key, what] : table) {
      if (profile.Find(key)) throw Unsupported(what, fmt::format("{} of profile '{}'", key, profile.name));
    }
  };
  refuse(kBeforeKeys);
  const auto id = profile.Find("aws_access_key_id");
  const auto secret = profile.Find("aws_secret_access_key");
  if (id || secret) {
    return Checked({id.value_or(""), secret.value_or(""), profile.Find("aws_session_token").value_or("")},
                   fmt::format("profile '{}'", profile.name));
  }
  refuse(kAfterKeys);
  return nullptr;
}

Provider FromContainer(const Search& search) {
  for (const char* name : {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    if (FindVariable(search.variables, name)) throw Unsupported("the container's role", name);
  }
  return nullptr;
}

// The order is botocore's, which is what users expect.
constexpr std::array<Provider (*)(const Search&), 5> kChain = {
    FromOptions, FromEnvironment, FromWebIdentity, FromProfile, FromContainer,
};

}  // namespace

std::shared_ptr<CredentialsProvider> StaticCredentials(Credentials credentials) {
  return std::make_shared<StaticProvider>(std::move(credentials));
}

std::shared_ptr<CredentialsProvider> FindCredentials(const S3Options& options,
                                                     const EnvironmentVariables& variables,
                                                     const SharedProfile& profile) {
  if (options.anonymous) return nullptr;
  const Search search{options, variables, profile};
  for (const auto source : kChain) {
    if (Provider provider = source(search)) return provider;
  }
  throw Error(
      ErrorCode::kUnauthenticated,
      fmt::format(
          "no credentials: looked at the options, {}profile '{}' in '{}' and '{}'. Set them in one of "
          "these places, or read a public bucket with --anonymous",
          options.profile.empty() ? "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " : "", profile.name,
          profile.credentials_file, profile.config_file));
}

}  // namespace bucketline
