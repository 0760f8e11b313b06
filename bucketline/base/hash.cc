#include "bucketline/base/hash.h"

#include <algorithm>
#include <memory>

#include <openssl/evp.h>
#include <xxhash.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

Error Unavailable() {
  return Error(ErrorCode::kInternal, "OpenSSL could not compute a digest; is this algorithm disabled here?");
}

void Digest(const EVP_MD* algorithm, std::string_view data, uint8_t* out) {
  if (EVP_Digest(data.data(), data.size(), out, nullptr, algorithm, nullptr) != 1) throw Unavailable();
}

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// SHA-256 for requests, each of which needs five of it: EVP_sha256() would have OpenSSL look for an implementation, and
// make a context, every time.
class Sha256Context {
 public:
  static Sha256Context& OfThread() {
    static thread_local Sha256Context context;
    return context;
  }

  Sha256Digest Of(std::span<const uint8_t> first, std::span<const uint8_t> second = {}) {
    Sha256Digest digest;
    if (EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) != 1 ||
        EVP_DigestUpdate(context_.get(), first.data(), first.size()) != 1 ||
        EVP_DigestUpdate(context_.get(), second.data(), second.size()) != 1 ||
        EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1) {
      throw Unavailable();
    }
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD, Free> algorithm_{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  const std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

}  // namespace

Sha256Digest Sha256(std::string_view data) { return Sha256Context::OfThread().Of(AsBytes(data)); }

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

// RFC 2104.
Sha256Digest HmacSha256(std::span<const uint8_t> key, std::string_view data) {
  Sha256Context& context = Sha256Context::OfThread();
  std::array<uint8_t, 64> inner{};
  if (key.size() > inner.size()) {
    std::ranges::copy(context.Of(key), inner.begin());
  } else {
    std::ranges::copy(key, inner.begin());
  }
  std::array<uint8_t, 64> outer = inner;
  for (uint8_t& byte : inner) byte ^= 0x36;
  for (uint8_t& byte : outer) byte ^= 0x5c;
  return context.Of(outer, context.Of(inner, AsBytes(data)));
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
