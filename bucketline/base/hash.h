// Hashes: cryptographic ones for protocols (OpenSSL), a fast stable one for decisions (xxHash).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bucketline {

using Sha256Digest = std::array<uint8_t, 32>;
using Sha1Digest = std::array<uint8_t, 20>;
using Md5Digest = std::array<uint8_t, 16>;

Sha256Digest Sha256(std::string_view data);
Sha256Digest HmacSha256(std::span<const uint8_t> key, std::string_view data);
Sha1Digest Sha1(std::string_view data);  // for names and checksums that others define by it
Md5Digest Md5(std::string_view data);    // for ETags and Content-MD5 only

std::string Hex(std::span<const uint8_t> bytes);  // lower case
std::string Base64(std::span<const uint8_t> bytes);

// XXH3-64 with `seed`: the same on every platform and in every version; splits and fingerprints rest on it.
uint64_t StableHash64(std::string_view data, uint64_t seed = 0);

}  // namespace bucketline
