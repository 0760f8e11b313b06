#include "bucketline/records/key_codec.h"

#include <algorithm>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

enum RunKind : uint64_t { kLiteral = 0, kLowerHex = 1, kUpperHex = 2 };

// A shorter hexadecimal run saves less than the two run headers that it may cost.
constexpr size_t kLeastHexRun = 6;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
bool IsUpperHex(char c) { return IsDigit(c) || (c >= 'A' && c <= 'F'); }

uint8_t HexValue(char c) {
  if (IsDigit(c)) return static_cast<uint8_t>(c - '0');
  return static_cast<uint8_t>((c & 15) + 9);  // 'a' and 'A' end in the bits 0001
}

struct Run {
  RunKind kind;
  size_t length;
};

// The run that `text` starts with; text is not empty.
Run FirstRun(std::string_view text) {
  const auto hex_length = [](std::string_view s, bool (*is_hex)(char)) {
    return static_cast<size_t>(std::find_if_not(s.begin(), s.end(), is_hex) - s.begin());
  };
  const auto hex_run = [&](std::string_view s) -> Run {
    const size_t lower = hex_length(s, IsLowerHex);
    const size_t upper = hex_length(s, IsUpperHex);
    return lower >= upper ? Run{kLowerHex, lower} : Run{kUpperHex, upper};
  };
  Run run = hex_run(text);
  if (run.length >= kLeastHexRun) return run;
  size_t literal = 0;
  do {
    literal += std::max<size_t>(run.length, 1);
    run = hex_run(text.substr(literal));
  } while (literal < text.size() && run.length < kLeastHexRun);
  return {kLiteral, literal};
}

}  // namespace

void AppendPackedHex(std::string* out, std::string_view digits) {
  for (size_t i = 0; i < digits.size(); i += 2) {
    const uint8_t low = i + 1 < digits.size() ? HexValue(digits[i + 1]) : 0;
    out->push_back(static_cast<char>(HexValue(digits[i]) << 4 | low));
  }
}

void AppendUnpackedHex(std::string* out, std::string_view packed, size_t count, bool upper) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  for (size_t i = 0; i < count; ++i) {
    const uint8_t byte = static_cast<uint8_t>(packed[i / 2]);
    out->push_back(digits[i % 2 == 0 ? byte >> 4 : byte & 15]);
  }
}

void AppendKey(std::string* out, std::string_view key, std::string_view previous) {
  const size_t prefix = static_cast<size_t>(
      std::mismatch(key.begin(), key.end(), previous.begin(), previous.end()).first - key.begin());
  std::string_view middle = key.substr(prefix);
  previous.remove_prefix(prefix);
  const size_t suffix = static_cast<size_t>(
      std::mismatch(middle.rbegin(), middle.rend(), previous.rbegin(), previous.rend()).first -
      middle.rbegin());
  middle.remove_suffix(suffix);
  AppendVarint(out, prefix);
  AppendVarint(out, suffix);
  do {
    const Run run = middle.empty() ? Run{kLiteral, 0} : FirstRun(middle);
    const std::string_view text = middle.substr(0, run.length);
    middle.remove_prefix(run.length);
    AppendVarint(out, uint64_t{run.length} << 3 | run.kind << 1 | (middle.empty() ? 0 : 1));
    if (run.kind == kLiteral) {
      out->append(text);
    } else {
      AppendPackedHex(out, text);
    }
  } while (!middle.empty());
}

void ReadKey(ByteReader* reader, std::string* key) {
  const uint64_t prefix = reader->Varint();
  const uint64_t suffix = reader->Varint();
  if (prefix > key->size() || suffix > key->size() - prefix) {
    throw Error(ErrorCode::kCorruptData, "a key shares more bytes with the key before it than that has");
  }
  const std::string end = key->substr(key->size() - suffix);
  key->resize(prefix);
  for (bool more = true; more;) {
    const uint64_t head = reader->Varint();
    const uint64_t length = head >> 3;
    const uint64_t kind = head >> 1 & 3;
    more = (head & 1) != 0;
    if (kind == kLiteral) {
      key->append(reader->Take(length));
    } else if (kind == kLowerHex || kind == kUpperHex) {
      AppendUnpackedHex(key, reader->Take((length + 1) / 2), length, kind == kUpperHex);
    } else {
      throw Error(ErrorCode::kCorruptData, "a key has a run of unknown kind");
    }
  }
  key->append(end);
}

}  // namespace bucketline
