#include "bucketline/s3/s3_writer.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/crc.h"
#include "bucketline/s3/checksum.h"
#include "bucketline/s3/s3_testing.h"
#include "bucketline/s3/s3_xml.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using testing::ErrorAnswer;
using testing::ErrorXml;
using ::testing::HasSubstr;
using testing::RampBytes;
using testing::ScriptedS3;

constexpr size_t kPart = 5 << 20;

std::string Etag(std::string_view body) { return fmt::format("\"{}\"", Hex(Md5(body))); }

// Speaks the multipart protocol; tests replace single answers by setting `override`.
class S3WriterTest : public ::testing::Test {
 protected:
  S3WriterTest() : s3_(Options()), store_(s3_.Store()) {
    s3_.transport.SetHandler([this](const HttpRequest& request) { return Answer(request); });
  }
  static S3Options Options() {
    S3Options options;
    options.multipart_part_size = kPart;
    options.max_attempts = 3;
    return options;
  }

  ScriptedAnswer Answer(const HttpRequest& request) {
    const std::string name = NameOf(request);
    names_.push_back(name);
    if (override) {
      if (auto answer = override(name)) return *answer;
    }
    if (name == "create")
      return AnswerWith(
          200, "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>");
    if (name.starts_with("part") || name == "put") {
      bodies_[name] = request.body.ToString();
      return AnswerWith(200, "", {{"ETag", Etag(request.body.view())}});
    }
    if (name == "complete") {
      bodies_[name] = request.body.ToString();
      return AnswerWith(
          200, "<CompleteMultipartUploadResult><ETag>\"whole-2\"</ETag></CompleteMultipartUploadResult>");
    }
    return AnswerWith(204);
  }

  static std::string NameOf(const HttpRequest& request) {
    if (request.method == "HEAD") return "head";
    if (request.method == "DELETE") return request.url.ends_with("?uploadId=u%2F1") ? "abort" : "delete";
    if (request.method == "POST") return request.url.ends_with("?uploads=") ? "create" : "complete";
    const size_t at = request.url.find("?partNumber=");
    if (at == std::string::npos) return "put";
    EXPECT_THAT(request.url, HasSubstr("&uploadId=u%2F1"));
    return "part" + request.url.substr(at + 12, 1);
  }

  int Count(const std::string& name) const {
    return static_cast<int>(std::count(names_.begin(), names_.end(), name));
  }
  Error Refusal(size_t size, WriteCondition condition = {}) {
    const auto result = Catch([&] { PutBytes(*store_, "k", RampBytes(size), condition); });
    return result ? Error(ErrorCode::kInternal, "it succeeded") : result.error();
  }
  // The answer `first` for the first request of this name, then the usual one.
  void Once(std::string name, ScriptedAnswer first) {
    override = [name, first, left = 1](const std::string& asked) mutable -> std::optional<ScriptedAnswer> {
      if (asked != name || left-- <= 0) return std::nullopt;
      return first;
    };
  }

  std::function<std::optional<ScriptedAnswer>(const std::string&)> override;
  std::vector<std::string> names_;  // read when the store rests
  std::map<std::string, std::string> bodies_;
  ScriptedS3 s3_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(S3WriterTest, ASmallObjectIsOneSignedPut) {
  const ObjectInfo object = PutBytes(*store_, "k", "hello", {.content_type = "text/plain"});
  EXPECT_THAT(names_, ::testing::ElementsAre("put"));
  EXPECT_EQ(bodies_["put"], "hello");
  EXPECT_EQ(object.size, 5u);
  EXPECT_EQ(object.etag, Etag("hello"));
  const HttpRequest request = s3_.transport.requests()[0];
  EXPECT_EQ(request.headers.Find("x-amz-content-sha256"), Hex(Sha256("hello")));
  EXPECT_EQ(request.headers.Find("Content-Type"), "text/plain");
  EXPECT_FALSE(request.headers.Find("If-None-Match"));
  EXPECT_EQ(s3_.counters.bytes_written.value(), 5u);
}

// The store's answer never comes; a request that was sent asks for the stop.
TEST_F(S3WriterTest, AStopEndsTheWaitForASilentStore) {
  for (const std::string silent : {"put", "create", "part1", "complete"}) {
    std::stop_source stop;
    override = [&](const std::string& asked) -> std::optional<ScriptedAnswer> {
      if (asked != silent) return std::nullopt;
      s3_.timer.After(Duration{0}, [&](bool) { stop.request_stop(); });
      ScriptedAnswer never;
      never.hang = true;
      return never;
    };
    const size_t size = silent == "put" ? 10 : kPart + 1;
    EXPECT_EQ(Refusal(size, {.stop = stop.get_token()}).code(), ErrorCode::kCancelled) << silent;
  }
  EXPECT_EQ(Count("abort"), 2) << "of part1 and complete; an upload without an id cannot be aborted";
}

TEST_F(S3WriterTest, ExactlyOnePartIsStillOnePut) {
  PutBytes(*store_, "k", RampBytes(kPart));
  EXPECT_THAT(names_, ::testing::ElementsAre("put"));
}

TEST_F(S3WriterTest, ALargeObjectGoesInParts) {
  const std::vector<uint8_t> data = RampBytes(2 * kPart + 7);
  const auto writer = store_->OpenWriter("k", {.content_type = "image/jpeg"});
  for (size_t at = 0; at < data.size(); at += 999'999) {
    writer->Write(std::span(data).subspan(at, std::min<size_t>(999'999, data.size() - at)));
  }
  const ObjectInfo object = writer->Commit();
  EXPECT_EQ(object.size, data.size());
  EXPECT_EQ(object.etag, "\"whole-2\"");
  const std::string whole(data.begin(), data.end());
  EXPECT_EQ(bodies_["part1"], whole.substr(0, kPart));
  EXPECT_EQ(bodies_["part2"], whole.substr(kPart, kPart));
  EXPECT_EQ(bodies_["part3"], whole.substr(2 * kPart));
  EXPECT_EQ(
      bodies_["complete"],
      CompleteUploadDocument({{Etag(bodies_["part1"])}, {Etag(bodies_["part2"])}, {Etag(bodies_["part3"])}}));
  EXPECT_EQ(s3_.transport.requests()[0].headers.Find("Content-Type"), "image/jpeg");
  EXPECT_EQ(Count("abort"), 0);
}

class S3WriterSumTest : public S3WriterTest {
 protected:
  S3WriterSumTest() {
    s3_.environment.variables = testing::Variables({{"AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported"}});
    store_ = s3_.Store();
  }
  std::string Header(size_t request, const char* name) {
    return std::string(s3_.transport.requests()[request].headers.Find(name).value_or("(none)"));
  }
};

TEST_F(S3WriterSumTest, APutCarriesItsSum) {
  PutBytes(*store_, "k", "123456789");
  EXPECT_EQ(Header(0, "x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
}

TEST_F(S3WriterSumTest, PartsAndTheWholeCarryTheirs) {
  const std::vector<uint8_t> data = RampBytes(kPart + 7);
  const auto sum_of = [](std::span<const uint8_t> bytes) {
    Crc64Nvme sum;
    sum.Update(bytes);
    return Base64Of(sum.value());
  };
  const std::span<const uint8_t> all(data);
  PutBytes(*store_, "k", all);
  EXPECT_EQ(Header(0, "x-amz-checksum-algorithm"), "CRC64NVME");
  EXPECT_EQ(Header(0, "x-amz-checksum-type"), "FULL_OBJECT");
  for (const HttpRequest& request : s3_.transport.requests()) {
    const std::string name = NameOf(request);
    if (!name.starts_with("part")) continue;
    EXPECT_EQ(request.headers.Find("x-amz-checksum-crc64nvme"),
              sum_of(name == "part1" ? all.first(kPart) : all.subspan(kPart)));
  }
  EXPECT_EQ(Header(3, "x-amz-checksum-crc64nvme"), sum_of(all));
  EXPECT_EQ(Header(3, "x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_THAT(bodies_["complete"], HasSubstr("<ChecksumCRC64NVME>" + sum_of(all.subspan(kPart)) + "<"));
}

TEST_F(S3WriterSumTest, APartThatTheStoreGotOtherwiseIsSentAgain) {
  Once("part1", ErrorAnswer(400, "BadDigest"));
  PutBytes(*store_, "k", RampBytes(kPart + 1));
  EXPECT_EQ(Count("part1"), 2);
  EXPECT_EQ(Count("abort"), 0);
}

TEST_F(S3WriterTest, OtherStoresGetNoSums) {
  PutBytes(*store_, "k", RampBytes(kPart + 7));
  for (const HttpRequest& request : s3_.transport.requests()) {
    for (const auto& [name, value] : request.headers.items()) {
      EXPECT_FALSE(name.starts_with("x-amz-checksum")) << name;
    }
  }
}

TEST_F(S3WriterTest, IfAbsentIsAskedOfPutAndOfComplete) {
  override = [](const std::string&) { return ErrorAnswer(412, "PreconditionFailed"); };
  EXPECT_EQ(Refusal(1, {.if_absent = true}).code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(s3_.transport.requests()[0].headers.Find("If-None-Match"), "*");
  Once("complete", ErrorAnswer(412, "PreconditionFailed"));
  EXPECT_EQ(Refusal(kPart + 1, {.if_absent = true}).code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(s3_.transport.requests().back().method, "DELETE");
  EXPECT_EQ(Count("abort"), 1);
}

TEST_F(S3WriterTest, A200WithAnErrorIsRetried) {
  Once("complete", AnswerWith(200, ErrorXml("InternalError")));
  PutBytes(*store_, "k", RampBytes(kPart + 1));
  EXPECT_EQ(Count("complete"), 2);
  override = [](const std::string& name) -> std::optional<ScriptedAnswer> {
    if (name == "complete") return AnswerWith(200, ErrorXml("InternalError"));
    return std::nullopt;
  };
  EXPECT_EQ(Refusal(kPart + 1).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Count("abort"), 1);
}

TEST_F(S3WriterTest, APartThatFailsIsRetriedThenEndsTheUpload) {
  Once("part1", AnswerWith(500));
  PutBytes(*store_, "k", RampBytes(kPart + 1));
  EXPECT_EQ(Count("part1"), 2);
  override = [](const std::string& name) -> std::optional<ScriptedAnswer> {
    if (name == "part2") return ErrorAnswer(403, "AccessDenied");
    return std::nullopt;
  };
  EXPECT_EQ(Refusal(3 * kPart).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(Count("abort"), 1);
}

TEST_F(S3WriterTest, APartWithoutAnEtagIsAnError) {
  Once("part1", AnswerWith(200));
  EXPECT_THAT(Refusal(kPart + 1).message(), HasSubstr("no ETag"));
  EXPECT_EQ(Count("abort"), 1);
}

TEST_F(S3WriterTest, AnUploadThatCannotBeCreatedIsAnError) {
  Once("create", ErrorAnswer(403, "AccessDenied"));
  EXPECT_EQ(Refusal(kPart + 1).code(), ErrorCode::kPermissionDenied);
  Once("create", AnswerWith(200, "<html>hello</html>", {{"Content-Type", "text/html"}}));
  EXPECT_THAT(Refusal(kPart + 1).message(), HasSubstr("really an S3 endpoint"));
}

TEST_F(S3WriterTest, AbortAndDestructionLeaveNothing) {
  auto writer = store_->OpenWriter("k");
  writer->Write(RampBytes(kPart + 1));
  writer->Abort();
  EXPECT_EQ(Count("abort"), 1);
  EXPECT_THROW(writer->Write(RampBytes(1)), Error);
  EXPECT_THROW(writer->Commit(), Error);
  writer = store_->OpenWriter("k");
  writer->Write(RampBytes(kPart + 1));
  writer.reset();
  EXPECT_EQ(Count("abort"), 2);
  store_->OpenWriter("k")->Write(RampBytes(1));
  EXPECT_EQ(Count("put"), 0);
  EXPECT_EQ(Count("complete"), 0);
}

// Sees when a request is cut off.
class CutWatch : public HttpTransport {
 public:
  explicit CutWatch(HttpTransport& transport) : transport_(transport) {}

  CallId Send(HttpRequest request, std::shared_ptr<HttpSink> sink, Done done) override {
    return transport_.Send(std::move(request), std::move(sink), std::move(done));
  }
  void Cancel(CallId id) override {
    {
      const std::lock_guard lock(mutex_);
      cut_ = true;
    }
    changed_.notify_all();
    transport_.Cancel(id);
  }
  bool CutWithin(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [&] { return cut_; });
  }

 private:
  HttpTransport& transport_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool cut_ = false;
};

// A part that is cut off may come to its end at the store when the upload is forgotten already.
TEST_F(S3WriterTest, AnAbortLetsAPartUnderWayEnd) {
  CutWatch watch(s3_.transport);
  s3_.environment.transport = &watch;
  store_ = s3_.Store();
  override = [&](const std::string& name) -> std::optional<ScriptedAnswer> {
    if (name == "part1") {
      EXPECT_FALSE(watch.CutWithin(std::chrono::milliseconds(100)));
    }
    return std::nullopt;
  };
  auto writer = store_->OpenWriter("k");
  writer->Write(RampBytes(kPart + 1));
  writer->Abort();
  EXPECT_THAT(names_, ::testing::ElementsAre("create", "part1", "abort"));
  writer.reset();
  store_.reset();
}

TEST_F(S3WriterTest, AnAbortThatFailsIsLogged) {
  override = [](const std::string& name) -> std::optional<ScriptedAnswer> {
    if (name == "abort") return ErrorAnswer(403, "AccessDenied");
    return std::nullopt;
  };
  store_->OpenWriter("k")->Write(RampBytes(kPart + 1));
  EXPECT_THAT(s3_.Log(), HasSubstr("may remain"));
}

// The first answer to a conditional write is lost on the way, so that the second attempt meets our own
// object.
TEST_F(S3WriterTest, OurOwnSuccessIsNotTakenForSomebodyElses) {
  const std::vector<uint8_t> data = RampBytes(10);
  const std::string etag = Etag(std::string_view(reinterpret_cast<const char*>(data.data()), data.size()));
  for (const bool ours : {true, false}) {
    override = [&, puts = 0](const std::string& name) mutable -> std::optional<ScriptedAnswer> {
      if (name == "head") return testing::ObjectAnswer(std::string(10, 'x'), ours ? etag : "\"other\"");
      return ++puts == 1 ? FailWith(Error(ErrorCode::kConnection, "reset"))
                         : ErrorAnswer(412, "PreconditionFailed");
    };
    if (ours) {
      EXPECT_EQ(PutBytes(*store_, "k", data, {.if_absent = true}).etag, etag);
    } else {
      EXPECT_EQ(Refusal(10, {.if_absent = true}).code(), ErrorCode::kAlreadyExists);
    }
  }
}

TEST_F(S3WriterTest, ACompleteWhoseAnswerWasLostIsRecognised) {
  const std::vector<uint8_t> data = RampBytes(kPart + 1);
  const std::string whole(data.begin(), data.end());
  const std::string etag = MultipartEtag({{Etag(whole.substr(0, kPart))}, {Etag(whole.substr(kPart))}});
  override = [&, completes = 0](const std::string& name) mutable -> std::optional<ScriptedAnswer> {
    if (name == "head") return testing::ObjectAnswer(whole, etag);
    if (name != "complete") return std::nullopt;
    return ++completes == 1 ? FailWith(Error(ErrorCode::kConnection, "reset"))
                            : ErrorAnswer(404, "NoSuchUpload");
  };
  EXPECT_EQ(PutBytes(*store_, "k", data).etag, etag);
  EXPECT_EQ(Count("abort"), 0);
}

TEST_F(S3WriterTest, ACompleteThatNamesNoEtagHasThatOfItsParts) {
  const std::vector<uint8_t> data = RampBytes(kPart + 1);
  const std::string whole(data.begin(), data.end());
  override = [&](const std::string& name) -> std::optional<ScriptedAnswer> {
    if (name != "complete") return std::nullopt;
    return AnswerWith(200, "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>");
  };
  EXPECT_EQ(PutBytes(*store_, "k", data).etag,
            MultipartEtag({{Etag(whole.substr(0, kPart))}, {Etag(whole.substr(kPart))}}));
}

TEST_F(S3WriterTest, KeysThatS3CannotHoldAreRefused) {
  EXPECT_THROW(store_->OpenWriter(""), Error);
  EXPECT_THROW(store_->OpenWriter(std::string(1025, 'x')), Error);
  EXPECT_NO_THROW(store_->OpenWriter(std::string(1024, 'x')));
}

}  // namespace
}  // namespace bucketline
