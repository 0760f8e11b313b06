#include "bucketline/base/digest.h"

#include <openssl/evp.h>

#include "bucketline/base/crc.h"
#include "bucketline/base/error.h"

namespace bucketline {
namespace {

class OpenSslDigest : public Digest {
 public:
  explicit OpenSslDigest(const EVP_MD* kind) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    Check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), kind, nullptr) == 1);
  }
  void Update(std::span<const uint8_t> data) override {
    Check(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
  }
  std::vector<uint8_t> Finish() override {
    std::vector<uint8_t> value(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    Check(EVP_DigestFinal_ex(context_.get(), value.data(), &size) == 1);
    value.resize(size);
    return value;
  }

 private:
  static void Check(bool ok) {
    if (!ok) throw Error(ErrorCode::kInternal, "OpenSSL could not compute a digest");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

template <typename Sum>
class CrcDigest : public Digest {
 public:
  void Update(std::span<const uint8_t> data) override { sum_.Update(data); }
  std::vector<uint8_t> Finish() override {
    const auto value = sum_.value();
    std::vector<uint8_t> bytes;
    for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<uint8_t>(value >> shift));
    }
    return bytes;
  }

 private:
  Sum sum_;
};

}  // namespace

std::unique_ptr<Digest> MakeDigest(std::string_view algorithm) {
  if (algorithm == "md5") return std::make_unique<OpenSslDigest>(EVP_md5());
  if (algorithm == "sha1") return std::make_unique<OpenSslDigest>(EVP_sha1());
  if (algorithm == "sha256") return std::make_unique<OpenSslDigest>(EVP_sha256());
  if (algorithm == "crc32") return std::make_unique<CrcDigest<Crc32>>();
  if (algorithm == "crc32c") return std::make_unique<CrcDigest<Crc32c>>();
  if (algorithm == "crc64nvme") return std::make_unique<CrcDigest<Crc64Nvme>>();
  return nullptr;
}

}  // namespace bucketline
