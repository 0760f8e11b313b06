#include "bucketline/base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <xxhash.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

void Digest(const EVP_MD* algorithm, std::string_view data, uint8_t* out) {
  if (EVP_Digest(data.data(), data.size(), out, nullptr, algorithm, nullptr) != 1) {
    throw Error(ErrorCode::kInternal, "OpenSSL could not compute a digest; is this algorithm disabled here?");
  }
}

}  // namespace

Sha256Digest Sha256(std::string_view data) {
  Sha256Digest digest;
  Digest(EVP_sha256(), data, digest.data());
  return digest;
}

Sha1Digest Sha1(std::string_view data) {
  Sha1Digest digest;
  Digest(EVP_sha1(), data, digest.data());
  return digest;
}

Md5Digest Md5(std::string_view data) {
  Md5Digest digest;
  Digest(EVP_md5(), data, digest.data());
  return digest;
}

Sha256Digest HmacSha256(std::span<const uint8_t> key, std::string_view data) {
  static constexpr uint8_t kNothing = 0;  // OpenSSL refuses null pointers even for zero bytes
  const uint8_t* key_bytes = key.empty() ? &kNothing : key.data();
  const uint8_t* data_bytes = data.empty() ? &kNothing : reinterpret_cast<const uint8_t*>(data.data());
  Sha256Digest digest;
  if (HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()), data_bytes, data.size(), digest.data(),
           nullptr) == nullptr) {
    throw Error(ErrorCode::kInternal, "OpenSSL could not compute an HMAC");
  }
  return digest;
}

std::string Hex(std::span<const uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string Base64(std::span<const uint8_t> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

uint64_t StableHash64(std::string_view data, uint64_t seed) {
  return XXH3_64bits_withSeed(data.data(), data.size(), seed);
}

}  // namespace bucketline
