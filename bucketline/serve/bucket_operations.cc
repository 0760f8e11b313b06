#include <algorithm>
#include <string_view>
#include <utility>

#include "bucketline/base/hash.h"
#include "bucketline/serve/percent.h"
#include "bucketline/serve/s3_handler.h"
#include "bucketline/serve/xml_answers.h"
#include "bucketline/serve/xml_requests.h"
#include "bucketline/store/blocking.h"

namespace bucketline::serve {
namespace {

std::string OrEmpty(const std::string* text) { return text != nullptr ? *text : std::string(); }

// A store's token may be any bytes; a client's must survive XML. "t" keeps it from ever being empty.
std::string ToClientToken(const std::string& token) {
  if (token.empty()) return {};
  return "t" + Hex({reinterpret_cast<const uint8_t*>(token.data()), token.size()});
}

std::string FromClientToken(std::string_view token) {
  std::string escaped;
  for (size_t i = 1; i < token.size(); i += 2) (escaped += '%').append(token.substr(i, 2));
  const std::optional<std::string> decoded = PercentDecode(escaped, false);
  if (token.size() % 2 != 1 || !token.starts_with('t') || !decoded || decoded->empty()) {
    throw S3Failure("InvalidArgument", "The continuation token provided is incorrect");
  }
  return *decoded;
}

}  // namespace

Answer S3Handler::ListBuckets() { return Answer::Xml(BucketsXml(buckets_.List())); }

Answer S3Handler::CreateBucket(const Request& request) {
  if (!IsValidNewBucketName(request.bucket)) throw S3Failure("InvalidBucketName");
  if (!buckets_.Create(request.bucket)) throw S3Failure("BucketAlreadyOwnedByYou");
  Answer answer = Answer::Empty(200);
  answer.headers.emplace_back("Location", "/" + request.bucket);
  return answer;
}

Answer S3Handler::HeadBucket(const Request& request) {
  Bucket(request);
  Answer answer = Answer::Empty(200);
  answer.headers.emplace_back("x-amz-bucket-region", region_);
  return answer;
}

Answer S3Handler::DeleteBucket(const Request& request) {
  switch (buckets_.Remove(request.bucket)) {
    case BucketRemoval::kRemoved:
      return Answer::Empty(204);
    case BucketRemoval::kNotEmpty:
      throw S3Failure("BucketNotEmpty");
    case BucketRemoval::kMissing:
      break;
  }
  throw S3Failure("NoSuchBucket", "", {{"BucketName", request.bucket}});
}

void S3Handler::ListObjects(const Request& request, const Done& done) {
  constexpr uint64_t kMostKeys = 1000;
  const std::shared_ptr<ObjectStore> store = Bucket(request);
  ListObjectsAnswer answer;
  answer.bucket = request.bucket;
  answer.prefix = OrEmpty(request.Query("prefix"));
  answer.delimiter = OrEmpty(request.Query("delimiter"));
  answer.start_after = OrEmpty(request.Query("start-after"));
  answer.token = OrEmpty(request.Query("continuation-token"));
  answer.max_keys = std::min(ReadNumber(request, "max-keys", kMostKeys), kMostKeys);
  const std::string encoding = OrEmpty(request.Query("encoding-type"));
  if (!encoding.empty() && encoding != "url")
    throw S3Failure("InvalidArgument", "Invalid Encoding Method specified");
  answer.url_encoded = encoding == "url";
  if (!answer.delimiter.empty() && answer.delimiter != "/") {
    throw S3Failure("NotImplemented", "The only delimiter served is \"/\".");
  }

  ListRequest list;
  list.prefix = answer.prefix;
  list.delimiter = answer.delimiter;
  list.start_after = answer.start_after;
  if (request.Query("continuation-token") != nullptr) list.token = FromClientToken(answer.token);
  list.max_keys = static_cast<int>(answer.max_keys);
  list.stop = stop_;
  if (answer.max_keys == 0) return done(Answer::Xml(ListObjectsXml(answer)));
  store->List(std::move(list), [answer = std::move(answer), done](Result<ListPage> page) mutable {
    done(Guard([&] {
      if (!page.ok() && page.error().code() == ErrorCode::kNotFound) throw S3Failure("NoSuchBucket");
      answer.page = std::move(page).ValueOrThrow();
      answer.page.next_token = ToClientToken(answer.page.next_token);
      return Answer::Xml(ListObjectsXml(answer));
    }));
  });
}

Answer S3Handler::DeleteMany(const Request& request, const std::string& body) {
  const std::shared_ptr<ObjectStore> store = Bucket(request);
  DeleteRequest wanted = ParseDelete(body);
  std::vector<DeletedKey> deleted;
  for (std::string& key : wanted.keys) {
    if (stop_.stop_requested()) throw S3Failure("ServiceUnavailable");
    const Result<void> result = Catch([&] { DeleteObject(*store, key); });
    deleted.push_back({std::move(key), std::nullopt});
    if (!result.ok()) deleted.back().failure = FailureOf(result.error());
  }
  return Answer::Xml(DeletedXml(deleted, wanted.quiet));
}

}  // namespace bucketline::serve
