#include "bucketline/serve/digest.h"

#include <array>

#include <openssl/evp.h>

#include "bucketline/base/error.h"

namespace bucketline::serve {
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

// A reflected CRC with initial value and final xor of all ones, which is what crc32, crc32c and crc64nvme
// share.
template <typename Word, Word kReflectedPolynomial>
class CrcDigest : public Digest {
 public:
  void Update(std::span<const uint8_t> data) override {
    for (const uint8_t byte : data) crc_ = kTable[(crc_ ^ byte) & 0xff] ^ (crc_ >> 8);
  }
  std::vector<uint8_t> Finish() override {
    const Word value = static_cast<Word>(~crc_);
    std::vector<uint8_t> bytes;
    for (int shift = static_cast<int>(sizeof(Word)) * 8 - 8; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<uint8_t>(value >> shift));
    }
    return bytes;
  }

 private:
  static constexpr std::array<Word, 256> kTable = [] {
    std::array<Word, 256> table{};
    for (Word i = 0; i < 256; ++i) {
      Word crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReflectedPolynomial : Word{0});
      table[i] = crc;
    }
    return table;
  }();
  Word crc_ = static_cast<Word>(~Word{0});
};

}  // namespace

std::unique_ptr<Digest> MakeDigest(std::string_view algorithm) {
  if (algorithm == "md5") return std::make_unique<OpenSslDigest>(EVP_md5());
  if (algorithm == "sha1") return std::make_unique<OpenSslDigest>(EVP_sha1());
  if (algorithm == "sha256") return std::make_unique<OpenSslDigest>(EVP_sha256());
  if (algorithm == "crc32") return std::make_unique<CrcDigest<uint32_t, 0xedb88320u>>();
  if (algorithm == "crc32c") return std::make_unique<CrcDigest<uint32_t, 0x82f63b78u>>();
  if (algorithm == "crc64nvme") return std::make_unique<CrcDigest<uint64_t, 0x9a6c9329ac4bc9b5u>>();
  return nullptr;
}

}  // namespace bucketline::serve
