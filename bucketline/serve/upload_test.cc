#include "bucketline/serve/upload.h"

#include <string>

#include <gtest/gtest.h>

#include "bucketline/s3/sigv4.h"
#include "bucketline/serve/serve_testing.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"

namespace bucketline::serve {
namespace {

using testing::CodeOf;

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// One upload of `body`, in pieces of `step` bytes, to a fresh store; what is stored, or the failure's code.
std::string Put(const Request& request, std::string_view body, size_t step = 7,
                std::optional<ChunkSigner> signer = std::nullopt) {
  const std::unique_ptr<ObjectStore> store = MakeMemoryStore("m");
  const std::string code = CodeOf([&] {
    Upload upload(ReadBodyPromise(request), std::move(signer), store->OpenWriter("k"));
    for (size_t i = 0; i < body.size(); i += step) upload.Write(BytesOf(body.substr(i, step)));
    upload.Finish();
  });
  if (code == "none") return "stored " + GetBytes(*store, "k").ToString();
  EXPECT_TRUE(ListAll(*store, "").empty()) << "a failed upload is visible";
  return code;
}

Request Plain(std::string length, std::vector<std::pair<std::string, std::string>> more = {}) {
  Request request;
  request.headers = std::move(more);
  request.headers.emplace_back("content-length", std::move(length));
  return request;
}

TEST(Upload, PlainBodies) {
  EXPECT_EQ(Put(Plain("11"), "hello world"), "stored hello world");
  EXPECT_EQ(Put(Plain("0"), ""), "stored ");
  EXPECT_EQ(Put(Plain("12"), "hello world"), "IncompleteBody");
  EXPECT_EQ(Put(Plain("10"), "hello world"), "IncompleteBody");
  EXPECT_EQ(Put(Plain("ten"), "hello world"), "InvalidRequest");
  EXPECT_EQ(Put(Request(), "hello world"), "MissingContentLength");
}

TEST(Upload, PromisesAboutTheBody) {
  const std::string body = "hello world";
  EXPECT_EQ(Put(Plain("11", {{"x-amz-content-sha256", Hex(Sha256(body))}}), body), "stored " + body);
  EXPECT_EQ(Put(Plain("11", {{"x-amz-content-sha256", Hex(Sha256("other"))}}), body),
            "XAmzContentSHA256Mismatch");
  EXPECT_EQ(Put(Plain("11", {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}), body), "stored " + body);
  EXPECT_EQ(Put(Plain("11", {{"x-amz-content-sha256", "nonsense"}}), body), "InvalidArgument");
  EXPECT_EQ(Put(Plain("11", {{"content-md5", Base64(Md5(body))}}), body), "stored " + body);
  EXPECT_EQ(Put(Plain("11", {{"content-md5", Base64(Md5("other"))}}), body), "BadDigest");
  EXPECT_EQ(Put(Plain("11", {{"content-md5", "short"}}), body), "InvalidDigest");
  EXPECT_EQ(Put(Plain("11", {{"x-amz-checksum-crc32", "DUoRhQ=="}}), body), "stored " + body);
  EXPECT_EQ(Put(Plain("11", {{"x-amz-checksum-crc32", "AAAAAA=="}}), body), "BadDigest");
  EXPECT_EQ(Put(Plain("11", {{"x-amz-checksum-type", "FULL_OBJECT"}}), body), "stored " + body);
  EXPECT_EQ(Put(Plain("11", {{"x-amz-checksum-md4", "AAAAAA=="}}), body), "NotImplemented");
}

Request Chunked(std::string decoded_length, std::vector<std::pair<std::string, std::string>> more = {}) {
  Request request;
  request.headers = std::move(more);
  request.headers.emplace_back("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  request.headers.emplace_back("x-amz-decoded-content-length", std::move(decoded_length));
  return request;
}

TEST(Upload, ChunkedBodiesInEveryPieceSize) {
  const std::string body = "6\r\nhello \r\n5;ext=1\r\nworld\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
  for (size_t step = 1; step <= body.size(); ++step) {
    EXPECT_EQ(Put(Chunked("11", {{"x-amz-trailer", "x-amz-checksum-crc32"}}), body, step),
              "stored hello world")
        << step;
  }
  EXPECT_EQ(Put(Chunked("0"), "0\r\n\r\n"), "stored ");
}

TEST(Upload, ChunkedBodiesThatAreWrong) {
  const Request request = Chunked("5");
  for (const char* body :
       {"x\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "\r\nhello", "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\nmore", "5\r\nhello\r\n0\r\nno colon\r\n\r\n"}) {
    EXPECT_EQ(Put(request, body), "InvalidRequest") << body;
  }
  EXPECT_EQ(Put(request, "5\r\nhello\r\n0\r\n"), "IncompleteBody");
  EXPECT_EQ(Put(request, "5\r\nhel"), "IncompleteBody");
  EXPECT_EQ(Put(request, "6\r\nhello!\r\n0\r\n\r\n"), "IncompleteBody");
  EXPECT_EQ(Put(request, std::string(5000, '1')), "InvalidRequest");
  const Request trailer = Chunked("5", {{"x-amz-trailer", "x-amz-checksum-crc32"}});
  EXPECT_EQ(Put(trailer, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), "BadDigest");
  EXPECT_EQ(Put(trailer, "5\r\nhello\r\n0\r\n\r\n"), "BadDigest");
}

// The example of the S3 API reference, "Signature Calculations ... Transferring Payload in Multiple Chunks".
ChunkSigner ExampleSigner() {
  SigningKeyCache keys;
  return ChunkSigner(keys.Get("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3"),
                     "20130524T000000Z", "20130524/us-east-1/s3/aws4_request",
                     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
}

std::string ExampleBody(std::string_view first_signature) {
  return "10000;chunk-signature=" + std::string(first_signature) + "\r\n" + std::string(65536, 'a') +
         "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
         std::string(1024, 'a') +
         "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
}

TEST(Upload, SignedChunks) {
  constexpr char kFirst[] = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
  EXPECT_EQ(Put(Chunked("66560"), ExampleBody(kFirst), 1000, ExampleSigner()),
            "stored " + std::string(66560, 'a'));
  EXPECT_EQ(Put(Chunked("66560"), ExampleBody(std::string(64, '0')), 1000, ExampleSigner()),
            "SignatureDoesNotMatch");
  EXPECT_EQ(Put(Chunked("5"), "5\r\nhello\r\n0\r\n\r\n", 7, ExampleSigner()), "SignatureDoesNotMatch");
}

TEST(Upload, SignedTrailers) {
  ChunkSigner signer = ExampleSigner();
  const std::string chunk = signer.NextChunk(Hex(Sha256("hello world")));
  const std::string last = signer.NextChunk(Hex(Sha256("")));
  const std::string trailers = signer.Trailers({{"x-amz-checksum-crc32", "DUoRhQ=="}});
  const auto body = [&](std::string_view signature) {
    return "b;chunk-signature=" + chunk + "\r\nhello world\r\n0;chunk-signature=" + last +
           "\r\nx-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:" + std::string(signature) +
           "\r\n\r\n";
  };
  EXPECT_EQ(Put(Chunked("11"), body(trailers), 9, ExampleSigner()), "stored hello world");
  EXPECT_EQ(Put(Chunked("11"), body(chunk), 9, ExampleSigner()), "SignatureDoesNotMatch");
}

TEST(CheckBody, VerifiesDocuments) {
  Request request;
  request.headers = {{"content-md5", Base64(Md5("<x/>"))}, {"x-amz-content-sha256", Hex(Sha256("<x/>"))}};
  EXPECT_EQ(CodeOf([&] { CheckBody(request, "<x/>"); }), "none");
  EXPECT_EQ(CodeOf([&] { CheckBody(request, "<y/>"); }), "XAmzContentSHA256Mismatch");
  request.headers.pop_back();
  EXPECT_EQ(CodeOf([&] { CheckBody(request, "<y/>"); }), "BadDigest");
}

}  // namespace
}  // namespace bucketline::serve
