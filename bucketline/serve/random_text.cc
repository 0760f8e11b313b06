#include "bucketline/serve/random_text.h"

#include <cstdint>
#include <string_view>

#include <openssl/rand.h>

#include "bucketline/base/error.h"

namespace bucketline::serve {

std::string RandomText(size_t length) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < length) {
    uint8_t byte = 0;
    if (RAND_bytes(&byte, 1) != 1) throw Error(ErrorCode::kInternal, "the system gives no random bytes");
    if (byte < 4 * kAlphabet.size()) text += kAlphabet[byte % kAlphabet.size()];  // no bias
  }
  return text;
}

}  // namespace bucketline::serve
