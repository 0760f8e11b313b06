#include "bucketline/s3/s3_store.h"

#include <future>
#include <utility>

#include <fmt/format.h>

#include "bucketline/s3/configured_endpoint.h"
#include "bucketline/s3/s3_client.h"
#include "bucketline/s3/s3_delete.h"
#include "bucketline/s3/s3_facts.h"
#include "bucketline/s3/s3_get.h"
#include "bucketline/s3/s3_head.h"
#include "bucketline/s3/s3_list.h"
#include "bucketline/s3/s3_writer.h"

namespace bucketline {
namespace {

// What a request costs a client, in bytes that it could have read and dropped meanwhile.
constexpr uint64_t kJoinableGap = 32 << 10;

Result<CredentialsPtr> WaitForCredentials(CredentialsProvider& provider, Duration patience) {
  const auto promise = std::make_shared<std::promise<Result<CredentialsPtr>>>();
  auto future = promise->get_future();
  provider.Get([promise](Result<CredentialsPtr> result) { promise->set_value(std::move(result)); });
  if (future.wait_for(patience) == std::future_status::ready) return future.get();
  return Error(ErrorCode::kTimeout, "no credentials came from " + provider.Source() + " in time");
}

class S3Store : public ObjectStore {
 public:
  explicit S3Store(std::shared_ptr<S3Client> client) : client_(std::move(client)) {}
  ~S3Store() override { client_->Shutdown(); }

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
    StartList(*client_, std::move(request), std::move(done));
  }

  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    StartGet(client_, std::move(request), std::move(sink), std::move(done));
  }

  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override {
    StartHead(*client_, {std::move(key)}, std::move(done));
  }

  void Delete(std::string key, std::function<void(Result<void>)> done) override {
    StartDelete(*client_, std::move(key), std::move(done));
  }

  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition) override {
    CheckKey(*client_, key);
    return std::make_unique<S3Writer>(client_, std::move(key), std::move(condition));
  }

  std::optional<uint64_t> joinable_gap() const override { return kJoinableGap; }
  std::string UriOf(std::string_view key) const override { return client_->UriOf(key); }

  std::string PlaceName() const {
    const auto place = client_->CurrentPlace();
    if (client_->settings().custom_endpoint) return place->endpoint.Url() + place->endpoint.bucket_path;
    return fmt::format("https://s3.{}/{}", AwsDomain(place->region), client_->settings().bucket);
  }

  S3Facts Facts(Duration patience) const {
    const auto place = client_->CurrentPlace();
    S3Facts facts{.endpoint_url = place->endpoint.Url(),
                  .host = place->endpoint.host,
                  .region = place->region,
                  .virtual_host = !place->endpoint.bucket_path.ends_with("/" + client_->settings().bucket)};
    const auto& provider = client_->settings().credentials;
    facts.anonymous = provider == nullptr;
    if (facts.anonymous) return facts;
    facts.credentials_source = provider->Source();
    const Result<CredentialsPtr> credentials = WaitForCredentials(*provider, patience);
    if (credentials) {
      facts.access_key_id = (*credentials)->access_key_id;
      facts.expires = (*credentials)->expires;
    } else {
      facts.no_credentials = credentials.error();
    }
    return facts;
  }

 private:
  const std::shared_ptr<S3Client> client_;  // shared with writers and what runs
};

}  // namespace

std::optional<S3Facts> FactsOf(const ObjectStore& store, Duration patience) {
  const auto* s3 = dynamic_cast<const S3Store*>(&store);
  if (s3 == nullptr) return std::nullopt;
  return s3->Facts(patience);
}

std::optional<std::string> PlaceNameOf(const ObjectStore& store) {
  const auto* s3 = dynamic_cast<const S3Store*>(&store);
  if (s3 == nullptr) return std::nullopt;
  return s3->PlaceName();
}

std::unique_ptr<ObjectStore> MakeS3Store(std::string bucket, const S3Options& options,
                                         const S3Environment& environment) {
  S3Settings settings = ResolveSettings(std::move(bucket), options, environment);
  return std::make_unique<S3Store>(std::make_shared<S3Client>(std::move(settings), environment));
}

}  // namespace bucketline
