#include "tests/support/bare_request.h"

#include <memory>
#include <optional>
#include <utility>

#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"

namespace bucketline::testing {

void SendBareRequest(const std::string& bucket, const S3Options& options, S3Request request) {
  const std::unique_ptr<HttpTransport> transport = MakeCurlTransport({});
  Timer timer;
  RetryBudget budget;
  S3Counters counters;
  S3Environment environment;
  environment.transport = transport.get();
  environment.timer = &timer;
  environment.retry_budget = &budget;
  environment.counters = &counters;
  const auto client = std::make_shared<S3Client>(ResolveSettings(bucket, options, environment), environment);
  const auto receiver = std::make_shared<DocumentReceiver>(
      client->ContextOf(request), [](const HttpResponseHead&, std::string_view) { return std::nullopt; });
  const S3Outcome outcome = client->Run(std::move(request), receiver);
  client->Shutdown();
  if (outcome.failure) throw outcome.failure->error;
}

}  // namespace bucketline::testing
