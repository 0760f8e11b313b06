// Tar header: one 512-byte block that describes a member (POSIX.1-1988 ustar, with GNU's numbers), and the pax records
// that may change what it says (POSIX.1-2001).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bucketline {

inline constexpr uint64_t kTarBlock = 512;
inline constexpr uint64_t kTarEnd = 2 * kTarBlock;  // of zeros, after the last member

// How many zeros fill the last block of a member.
constexpr uint64_t TarPadding(uint64_t size) { return (kTarBlock - size % kTarBlock) % kTarBlock; }

struct TarHeader {
  std::string name;  // with the ustar prefix
  uint64_t size = 0;
  char type = '0';
};

// The header at `offset` of the shard; nullopt for a block of zeros. Throws ShardDamage: a wrong checksum, a size that is
// no number. Precondition: block.size() == kTarBlock.
std::optional<TarHeader> ReadTarHeader(std::string_view block, uint64_t offset);

// The most bytes of a member, and the last second, that eleven octal digits can tell.
inline constexpr uint64_t kLargestTarMember = (uint64_t{1} << 33) - 1;
inline constexpr uint64_t kLargestTarTime = kLargestTarMember;

// The most bytes of a name, and of a link's target.
inline constexpr size_t kLongestTarName = 100;

// A member to be written. Of user and group 0: they mean nothing elsewhere.
struct TarMember {
  std::string_view name;
  uint64_t size = 0;
  char type = '0';  // a file
  uint32_t mode = 0644;
  uint64_t modified = 0;         // seconds since 1970
  std::string_view target = {};  // of a link
};

// Precondition: nothing is longer or larger than the constants above say.
std::string MakeTarHeader(const TarMember& member);

// What a pax header says of the member after it.
struct PaxFields {
  std::optional<std::string> path;
  std::optional<uint64_t> size;
  bool sparse = false;  // its bytes are not those of the file
};

// The records "length key=value\n" of the pax header at `offset`. Throws ShardDamage.
PaxFields ReadPaxFields(std::string_view records, uint64_t offset);

}  // namespace bucketline
