#include "bucketline/store/key_space.h"

#include <algorithm>
#include <utility>

namespace bucketline {
namespace {

constexpr size_t kMostPlaces = 1024;  // S3's longest key
constexpr size_t kDigits = 12;        // places beyond the common start that count

size_t CommonStart(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

template <size_t N>
void SetAll(std::bitset<N>* set, char first, char last) {
  for (char c = first; c <= last; ++c) set->set(static_cast<size_t>(c));
}

template <size_t N>
bool HasAny(const std::bitset<N>& set, char first, char last) {
  for (char c = first; c <= last; ++c) {
    if (set.test(static_cast<size_t>(c))) return true;
  }
  return false;
}

// The symbols below `c`; all of them for what is not ASCII.
template <size_t N>
size_t RankOf(const std::bitset<N>& set, unsigned char c) {
  size_t rank = 0;
  for (size_t i = 0; i < std::min<size_t>(c, N); ++i) rank += set.test(i) ? 1 : 0;
  return rank;
}

template <size_t N>
char SymbolAt(const std::bitset<N>& set, size_t rank) {
  for (size_t i = 0; i < N; ++i) {
    if (set.test(i) && rank-- == 0) return static_cast<char>(i);
  }
  return 0;
}

}  // namespace

KeySpace::KeySpace(std::string prefix) : prefix_(std::move(prefix)) {}

void KeySpace::Observe(std::string_view key) {
  const size_t places = std::min(key.size(), kMostPlaces);
  if (seen_.size() < places) seen_.resize(places);
  for (size_t i = 0; i < places; ++i) {
    const auto c = static_cast<unsigned char>(key[i]);
    if (c > 0x20 && c < 0x7f) seen_[i].set(c);
  }
}

// Whether the digits here are those of a hexadecimal number, whose letters were seen further on: its first ones change last.
bool KeySpace::IsHexadecimal(size_t place) const {
  for (; place < seen_.size(); ++place) {
    const Symbols& symbols = seen_[place];
    if (!HasAny(symbols, '0', '9')) return false;
    Symbols digits;
    SetAll(&digits, '0', '9');
    if ((symbols & ~digits).none()) continue;
    SetAll(&digits, 'a', 'f');
    return (symbols & ~digits).none();
  }
  return false;
}

KeySpace::Symbols KeySpace::SymbolsAt(size_t place) const {
  Symbols symbols = place < seen_.size() ? seen_[place] : Symbols();
  const bool unknown = symbols.none();
  const bool lower_beyond_hex = HasAny(symbols, 'g', 'z');
  if (unknown || HasAny(symbols, '0', '9')) SetAll(&symbols, '0', '9');
  if (unknown || lower_beyond_hex) {
    SetAll(&symbols, 'a', 'z');
  } else if (HasAny(symbols, 'a', 'f') || IsHexadecimal(place)) {
    SetAll(&symbols, 'a', 'f');
  }
  if (HasAny(symbols, 'A', 'Z')) SetAll(&symbols, 'A', 'Z');
  return symbols;
}

KeyRange KeySpace::Inside(KeyRange range) const {
  range.after = std::max(range.after, prefix_);
  return range;
}

// Of what follows `from`: a fraction with a digit for each place, which is the rank of its symbol. The end of a key is
// like its first symbol; what is not ASCII is like the place's end.
double KeySpace::Value(std::string_view key, size_t from) const {
  double value = 0;
  double unit = 1;
  for (size_t i = from; i < std::min(key.size(), from + kDigits); ++i) {
    const Symbols symbols = SymbolsAt(i);
    unit /= static_cast<double>(symbols.count());
    value += unit * static_cast<double>(RankOf(symbols, static_cast<unsigned char>(key[i])));
  }
  return value;
}

std::optional<std::string> KeySpace::Middle(const KeyRange& range) const {
  const auto [after, last] = Inside(range);
  if (last && *last <= after) return std::nullopt;
  const size_t common = CommonLength({after, last}, prefix_.size());
  const double low = Value(after, common);
  const double high = last ? Value(*last, common) : 1.0;
  if (low >= high) return std::nullopt;
  double left = (low + high) / 2;
  std::string middle = after.substr(0, common);
  for (size_t i = common; i < common + kDigits; ++i) {
    const Symbols symbols = SymbolsAt(i);
    left *= static_cast<double>(symbols.count());
    const size_t digit = std::min(static_cast<size_t>(left), symbols.count() - 1);
    left -= static_cast<double>(digit);
    middle.push_back(SymbolAt(symbols, digit));
    if (middle > after) return !last || middle < *last ? std::optional(middle) : std::nullopt;
  }
  return std::nullopt;
}

double KeySpace::Position(std::string_view key, const KeyRange& range) const {
  const KeyRange inside = Inside(range);
  const size_t common = CommonLength(inside, prefix_.size());
  const double low = Value(inside.after, common);
  const double high = inside.last ? Value(*inside.last, common) : 1.0;
  if (high <= low) return 1;
  return std::clamp((Value(key, common) - low) / (high - low), 0.0, 1.0);
}

size_t CommonLength(const KeyRange& range, size_t least) {
  if (!range.last) return least;
  size_t common = CommonStart(range.after, *range.last);
  const auto within = [&](std::string_view key) {
    return common < key.size() && IsContinuation(key[common]);
  };
  while (common > 0 && (within(range.after) || within(*range.last))) --common;
  return common;
}

std::string CommonFolder(std::string_view prefix, const KeyRange& range) {
  if (!range.last || range.after.size() < prefix.size()) return std::string(prefix);
  const std::string_view common =
      std::string_view(range.after).substr(0, CommonStart(range.after, *range.last));
  const size_t slash = common.rfind('/');
  const size_t length = slash == std::string_view::npos ? 0 : slash + 1;
  return std::string(common.substr(0, std::max(length, std::min(prefix.size(), common.size()))));
}

}  // namespace bucketline
