#include "bucketline/records/etag_codec.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "bucketline/records/key_codec.h"

namespace bucketline {
namespace {

constexpr size_t kMd5Bytes = 16;
constexpr size_t kMd5Digits = 2 * kMd5Bytes;

// The number that `text` writes in the one way that ToString writes it.
std::optional<uint64_t> CanonicalNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

// The number of parts in `"<md5>-<parts>"`; precondition: KindOfEtag is kMultipart or being found out.
std::string_view PartsText(std::string_view etag) {
  return etag.substr(kMd5Digits + 2, etag.size() - kMd5Digits - 3);
}

}  // namespace

EtagKind KindOfEtag(std::string_view etag) {
  if (etag.empty()) return EtagKind::kNone;
  if (etag.size() < kMd5Digits + 2 || etag.front() != '"' || etag.back() != '"') return EtagKind::kText;
  const std::string_view md5 = etag.substr(1, kMd5Digits);
  const bool hex = std::all_of(md5.begin(), md5.end(),
                               [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!hex) return EtagKind::kText;
  if (etag.size() == kMd5Digits + 2) return EtagKind::kMd5;
  return etag[kMd5Digits + 1] == '-' && CanonicalNumber(PartsText(etag)) ? EtagKind::kMultipart
                                                                         : EtagKind::kText;
}

void AppendEtag(std::string* out, EtagKind kind, std::string_view etag) {
  if (kind == EtagKind::kText) AppendSized(out, etag);
  if (kind == EtagKind::kMd5 || kind == EtagKind::kMultipart)
    AppendPackedHex(out, etag.substr(1, kMd5Digits));
  if (kind == EtagKind::kMultipart) AppendVarint(out, CanonicalNumber(PartsText(etag)).value());
}

PackedEtag ReadEtag(ByteReader* reader, EtagKind kind) {
  PackedEtag etag{.kind = kind, .bytes = {}, .parts = 0};
  if (kind == EtagKind::kText) etag.bytes = reader->Sized();
  if (kind == EtagKind::kMd5 || kind == EtagKind::kMultipart) etag.bytes = reader->Take(kMd5Bytes);
  if (kind == EtagKind::kMultipart) etag.parts = reader->Varint();
  return etag;
}

std::string PackedEtag::ToString() const {
  if (kind == EtagKind::kNone) return {};
  if (kind == EtagKind::kText) return std::string(bytes);
  std::string text = "\"";
  AppendUnpackedHex(&text, bytes, kMd5Digits);
  if (kind == EtagKind::kMultipart) text += '-' + std::to_string(parts);
  return text += '"';
}

}  // namespace bucketline
