#include <string_view>
#include <utility>

#include "bucketline/serve/range_header.h"
#include "bucketline/serve/s3_handler.h"
#include "bucketline/serve/xml_answers.h"

namespace bucketline::serve {
namespace {

struct Conditions {
  std::optional<std::string> range, if_match, if_none_match;
};

std::optional<std::string> Copy(const std::string* text) {
  return text != nullptr ? std::optional(*text) : std::nullopt;
}

S3Failure NoSuchKey(const std::string& key) { return S3Failure("NoSuchKey", "", {{"Key", key}}); }

// The head of a GET's or HEAD's answer, and where its body is.
Answer AnswerFor(const ObjectInfo& object, const Conditions& conditions, std::shared_ptr<ObjectStore> store,
                 const std::string& key) {
  if (conditions.if_match && !NamesETag(*conditions.if_match, object.etag)) {
    throw S3Failure("PreconditionFailed", "", {{"Condition", "If-Match"}});
  }
  Answer answer;
  answer.headers = {{"ETag", object.etag},
                    {"Last-Modified", FormatHttpDate(object.last_modified)},
                    {"Accept-Ranges", "bytes"}};
  if (conditions.if_none_match && NamesETag(*conditions.if_none_match, object.etag)) {
    answer.status = 304;
    return answer;
  }
  ObjectBody body{std::move(store), key, object.etag, 0, object.size};
  if (conditions.range) {
    if (const std::optional<ByteRange> range = ParseRange(*conditions.range, object.size)) {
      body.offset = range->offset;
      body.length = range->length;
      answer.status = 206;
      answer.headers.emplace_back("Content-Range", "bytes " + std::to_string(range->offset) + "-" +
                                                       std::to_string(range->offset + range->length - 1) +
                                                       "/" + std::to_string(object.size));
    }
  }
  answer.headers.emplace_back("Content-Type", "binary/octet-stream");
  answer.object = std::move(body);
  return answer;
}

}  // namespace

void S3Handler::ReadObject(const Request& request, bool head_only, const Done& done) {
  const std::shared_ptr<ObjectStore> store = Bucket(request);
  Conditions conditions{Copy(request.Header("range")), Copy(request.Header("if-match")),
                        Copy(request.Header("if-none-match"))};
  // Weak, because the callback's captures die on the store's thread, where its last reference must not be
  // dropped.
  const std::weak_ptr<ObjectStore> weak = store;
  store->Head(request.key, [head_only, weak, key = request.key, conditions = std::move(conditions),
                            done](Result<ObjectInfo> head) {
    done(Guard([&] {
      if (!head.ok() && head.error().code() == ErrorCode::kNotFound) throw NoSuchKey(key);
      if (!head.ok()) throw FailureOf(head.error());
      std::shared_ptr<ObjectStore> strong = weak.lock();
      if (!strong) throw S3Failure("NoSuchBucket");
      Answer answer = AnswerFor(*head, conditions, std::move(strong), key);
      if (head_only && answer.object) {
        answer.head_length = answer.object->length;
        answer.object.reset();
      }
      return answer;
    }));
  });
}

void S3Handler::Delete(const Request& request, const Done& done) {
  const std::shared_ptr<ObjectStore> store = Bucket(request);
  store->Delete(request.key, [done](Result<void> result) {
    done(Guard([&] {
      result.ValueOrThrow();
      return Answer::Empty(204);
    }));
  });
}

}  // namespace bucketline::serve
