// KeySpace: where keys lie between two others, and what a key half-way would be. Guesses, from the keys seen so far: what
// is made of them is only ever a place to begin a listing at.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bucketline {

// Keys k with after < k <= last, bytewise. The default is all keys.
struct KeyRange {
  std::string after = {};
  std::optional<std::string> last = {};

  bool operator==(const KeyRange&) const = default;
};

// The keys of a prefix. Learns at each place of a key which characters occur there: of digits one stands for all, of
// letters too. Not thread-safe.
class KeySpace {
 public:
  explicit KeySpace(std::string prefix);

  void Observe(std::string_view key);

  // A key strictly between, about half-way; valid UTF-8 when the keys are. nullopt when the characters known leave no
  // room.
  std::optional<std::string> Middle(const KeyRange& range) const;

  // How far `key` is from range.after (0) to range.last (1), of the keys that may be there.
  double Position(std::string_view key, const KeyRange& range) const;

 private:
  using Symbols = std::bitset<128>;

  bool IsHexadecimal(size_t place) const;
  Symbols SymbolsAt(size_t place) const;
  KeyRange Inside(KeyRange range) const;
  double Value(std::string_view key, size_t from) const;

  const std::string prefix_;
  std::vector<Symbols> seen_;  // at each place
};

// How many characters all keys of the range share, `least` without a last key; no character of several bytes is cut.
size_t CommonLength(const KeyRange& range, size_t least);

// The deepest folder ("" or ending in "/") that both ends lie in, `prefix` at least. Without a last key: the prefix.
std::string CommonFolder(std::string_view prefix, const KeyRange& range);

}  // namespace bucketline
