#include "bucketline/serve/chunk_signature.h"

namespace bucketline::serve {

ChunkSigner::ChunkSigner(Sha256Digest signing_key, std::string amz_date, std::string scope, std::string seed)
    : signing_key_(signing_key),
      amz_date_(std::move(amz_date)),
      scope_(std::move(scope)),
      previous_(std::move(seed)) {}

std::string ChunkSigner::NextChunk(std::string_view sha256_hex) {
  const std::string empty_hash = Hex(Sha256(""));
  previous_ = Sign("AWS4-HMAC-SHA256-PAYLOAD", empty_hash + "\n" + std::string(sha256_hex));
  return previous_;
}

std::string ChunkSigner::Trailers(const std::vector<std::pair<std::string, std::string>>& trailers) const {
  std::string canonical;
  for (const auto& [name, value] : trailers) canonical.append(name).append(":").append(value).append("\n");
  return Sign("AWS4-HMAC-SHA256-TRAILER", Hex(Sha256(canonical)));
}

std::string ChunkSigner::Sign(std::string_view kind, std::string_view rest) const {
  std::string text(kind);
  text += "\n" + amz_date_ + "\n" + scope_ + "\n" + previous_ + "\n";
  text += rest;
  return Hex(HmacSha256(signing_key_, text));
}

}  // namespace bucketline::serve
