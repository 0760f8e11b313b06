// Tar header: one 512-byte block that describes a member (POSIX.1-1988 ustar, with GNU's numbers), and the pax records
// that may change what it says (POSIX.1-2001).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bucketline {

inline constexpr uint64_t kTarBlock = 512;

struct TarHeader {
  std::string name;  // with the ustar prefix
  uint64_t size = 0;
  char type = '0';
};

// The header at `offset` of the shard; nullopt for a block of zeros. Throws ShardDamage: a wrong checksum, a size that is
// no number. Precondition: block.size() == kTarBlock.
std::optional<TarHeader> ReadTarHeader(std::string_view block, uint64_t offset);

// The most bytes of a member whose size is in octal digits.
inline constexpr uint64_t kLargestTarMember = (uint64_t{1} << 33) - 1;

// The header of a plain file, mode 0644, of user, group and time 0. Preconditions: at most 100 bytes of name,
// size <= kLargestTarMember.
std::string MakeTarHeader(std::string_view name, uint64_t size);

// What a pax header says of the member after it.
struct PaxFields {
  std::optional<std::string> path;
  std::optional<uint64_t> size;
  bool sparse = false;  // its bytes are not those of the file
};

// The records "length key=value\n" of the pax header at `offset`. Throws ShardDamage.
PaxFields ReadPaxFields(std::string_view records, uint64_t offset);

}  // namespace bucketline
