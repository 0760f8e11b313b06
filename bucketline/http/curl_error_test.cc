#include "bucketline/http/curl_error.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

ErrorCode CodeOf(CURLcode code, std::string_view detail = {}) {
  return ErrorFromCurl(code, detail, "h").code();
}

TEST(ErrorFromCurl, NamesTheHostAndCurlsText) {
  EXPECT_EQ(ErrorFromCurl(CURLE_COULDNT_CONNECT, "Connection refused\n", "host:81").message(),
            "host:81: Connection refused");
}

TEST(ErrorFromCurl, HasATextOfItsOwn) {
  EXPECT_GT(ErrorFromCurl(CURLE_SSL_CONNECT_ERROR, "", "h").message().size(), 10u);
}

TEST(ErrorFromCurl, NetworkTroubleIsConnection) {
  for (const CURLcode code : {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
                              CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_SSL_CONNECT_ERROR,
                              CURLE_PEER_FAILED_VERIFICATION, CURLE_SEND_FAIL_REWIND}) {
    EXPECT_EQ(CodeOf(code), ErrorCode::kConnection) << code;
  }
}

TEST(ErrorFromCurl, ABrokenAnswerIsCorruptData) {
  for (const CURLcode code : {CURLE_PARTIAL_FILE, CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL,
                              CURLE_BAD_CONTENT_ENCODING}) {
    EXPECT_EQ(CodeOf(code), ErrorCode::kCorruptData) << code;
  }
  EXPECT_EQ(CodeOf(CURLE_RECV_ERROR, "Illegal or missing hexadecimal sequence in chunked-encoding"),
            ErrorCode::kCorruptData);
}

TEST(ErrorFromCurl, Others) {
  EXPECT_EQ(CodeOf(CURLE_OUT_OF_MEMORY), ErrorCode::kResourceExhausted);
  EXPECT_EQ(CodeOf(CURLE_OPERATION_TIMEDOUT), ErrorCode::kTimeout);
  EXPECT_EQ(CodeOf(CURLE_SSL_CACERT_BADFILE), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(CURLE_URL_MALFORMAT), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bucketline
