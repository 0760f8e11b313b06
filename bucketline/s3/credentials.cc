#include "bucketline/s3/credentials.h"

#include <utility>

#include <fmt/format.h>

namespace bucketline {
namespace {

class StaticProvider : public CredentialsProvider {
 public:
  StaticProvider(Credentials credentials, std::string source)
      : credentials_(std::make_shared<const Credentials>(std::move(credentials))),
        source_(std::move(source)) {}

  std::optional<CredentialsPtr> TryGet() override { return credentials_; }
  void Get(Done done) override { done(credentials_); }
  bool Renew(const CredentialsPtr&) override { return false; }
  std::string Source() const override { return source_; }
  void Stop() override {}

 private:
  const CredentialsPtr credentials_;
  const std::string source_;
};

}  // namespace

void CheckCredentials(const Credentials& credentials, std::string_view source) {
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "{}: an access key id and a secret access key belong together, but one of them is missing",
            source));
  }
  for (const std::string* text :
       {&credentials.access_key_id, &credentials.secret_access_key, &credentials.session_token}) {
    for (const char c : *text) {
      if (c > ' ' && c < '\x7f') continue;
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("{}: the credentials hold a blank, a line break or another character that no key has; "
                      "copy them again",
                      source));
    }
  }
}

std::shared_ptr<CredentialsProvider> StaticCredentials(Credentials credentials, std::string source) {
  CheckCredentials(credentials, source);
  return std::make_shared<StaticProvider>(std::move(credentials), std::move(source));
}

}  // namespace bucketline
