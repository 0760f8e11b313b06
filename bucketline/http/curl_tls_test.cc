// TLS: who is trusted, and what is told when somebody is not.
#include <filesystem>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/http/exchange_test_util.h"
#include "bucketline/http/loopback_server_test_util.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, FreeWith<Free>>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;

Certificate SelfSigned(EVP_PKEY* key, const char* subject_names) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject_names);
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

// A server whose certificate, valid for `subject_names` (e.g. "IP:127.0.0.1"), nobody trusts by default.
class TlsServer {
 public:
  explicit TlsServer(const char* subject_names)
      : key_(EVP_EC_gen("P-256")), certificate_(SelfSigned(key_.get(), subject_names)) {
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
  }

  LoopbackServer& tcp() { return tcp_; }
  std::string Url() const { return tcp_.Url("/key", "https"); }

  void WriteCertificate(const std::filesystem::path& path) const {
    Owned<BIO, BIO_free> file(BIO_new_file(path.c_str(), "w"));
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(PEM_write_bio_X509(file.get(), certificate_.get()), 1);
  }

 private:
  void Serve(LoopbackConnection& connection) {
    Owned<SSL, SSL_free> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), connection.fd());
    if (SSL_accept(tls.get()) != 1) return;
    char request[4096];
    while (SSL_read(tls.get(), request, sizeof request) > 0) {  // one read is one request, small as they are
      constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";
      SSL_write(tls.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
    }
  }

  Key key_;
  Certificate certificate_;
  Owned<SSL_CTX, SSL_CTX_free> context_{SSL_CTX_new(TLS_server_method())};
  LoopbackServer tcp_{[this](LoopbackConnection& connection) { Serve(connection); }};
};

class CurlTls : public ::testing::Test {
 protected:
  std::filesystem::path bundle() const { return folder_.Path("ca.pem"); }

  Result<HttpTiming> Try(HttpTransport& transport, const std::string& url) {
    last_ = Exchange::Start(transport, Get(url));
    return last_->Wait();
  }

  testing::TempFolder folder_;
  std::shared_ptr<Exchange> last_;
};

TEST_F(CurlTls, AStrangersCertificateIsRefused) {
  TlsServer server("IP:127.0.0.1");
  const auto transport = MakeCurlTransport();
  const auto result = Try(*transport, server.Url());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kConnection);
  EXPECT_THAT(result.error().message(), HasSubstr(server.tcp().authority()));
  EXPECT_THAT(result.error().message(), HasSubstr("certificate"));
}

TEST_F(CurlTls, ACertificateInTheBundleIsTrustedAndTheConnectionKept) {
  TlsServer server("IP:127.0.0.1");
  server.WriteCertificate(bundle());
  const auto transport = MakeCurlTransport({.ca_bundle = bundle()});
  for (int i = 0; i < 3; ++i) {
    const auto result = Try(*transport, server.Url());
    ASSERT_TRUE(result.ok()) << result.error().what();
    EXPECT_EQ(result->reused_connection, i > 0);
    EXPECT_EQ(last_->body(), "secure");
  }
}

TEST_F(CurlTls, TheNameMustFit) {
  TlsServer server("DNS:elsewhere.example");
  server.WriteCertificate(bundle());
  const auto transport = MakeCurlTransport({.ca_bundle = bundle()});
  const auto result = Try(*transport, server.Url());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kConnection);
}

TEST_F(CurlTls, APlainServerBehindHttpsIsAConnectionError) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.Write("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.WaitForPeer();
  });
  const auto transport = MakeCurlTransport();
  const auto result = Try(*transport, server.Url("/", "https"));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kConnection);
}

}  // namespace
}  // namespace bucketline
