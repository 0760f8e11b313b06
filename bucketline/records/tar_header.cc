#include "bucketline/records/tar_header.h"

#include <charconv>

#include <fmt/format.h>

#include "bucketline/records/shard_scan.h"

namespace bucketline {
namespace {

// Where the fields stand in the block.
struct Place {
  size_t offset;
  size_t length;
};
constexpr Place kName{0, kLongestTarName};
constexpr Place kMode{100, 8};
constexpr Place kUser{108, 8};
constexpr Place kGroup{116, 8};
constexpr Place kSize{124, 12};
constexpr Place kTime{136, 12};
constexpr Place kChecksum{148, 8};
constexpr size_t kType = 156;
constexpr Place kLink{157, kLongestTarName};
constexpr Place kMagic{257, 6};
constexpr Place kPrefix{345, 155};

std::string_view Field(std::string_view block, Place place) {
  return block.substr(place.offset, place.length);
}

std::string_view Text(std::string_view block, Place place) {
  const std::string_view field = Field(block, place);
  return field.substr(0, field.find('\0'));
}

// Octal digits between spaces and zeros; or, with the highest bit set, GNU's big-endian binary.
std::optional<uint64_t> Number(std::string_view field) {
  uint64_t value = 0;
  if ((static_cast<uint8_t>(field[0]) & 0x80) != 0) {
    if (static_cast<uint8_t>(field[0]) != 0x80) return std::nullopt;  // negative, or more than any size
    for (const char byte : field.substr(1)) {
      if (value >> 56 != 0) return std::nullopt;
      value = value << 8 | static_cast<uint8_t>(byte);
    }
    return value;
  }
  const size_t first = field.find_first_not_of(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const char* const end = field.data() + field.size();
  const auto [rest, error] = std::from_chars(field.data() + first, end, value, 8);
  if (error != std::errc() || (rest != end && *rest != ' ' && *rest != '\0')) return std::nullopt;
  return value;
}

// Bytes summed as unsigned, the checksum itself as spaces. Some old writers summed signed ones.
bool ChecksumHolds(std::string_view block) {
  const std::optional<uint64_t> wanted = Number(Field(block, kChecksum));
  if (!wanted) return false;
  int64_t of_unsigned = 0;
  int64_t of_signed = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool in_checksum = i - kChecksum.offset < kChecksum.length;
    of_unsigned += in_checksum ? ' ' : static_cast<uint8_t>(block[i]);
    of_signed += in_checksum ? ' ' : static_cast<int8_t>(block[i]);
  }
  const auto sum = static_cast<int64_t>(*wanted);
  return sum == of_unsigned || sum == of_signed;
}

}  // namespace

std::optional<TarHeader> ReadTarHeader(std::string_view block, uint64_t offset) {
  if (block.find_first_not_of('\0') == std::string_view::npos) return std::nullopt;
  if (!ChecksumHolds(block)) {
    throw ShardDamage(offset, "this is no tar header: its checksum is wrong");
  }
  const std::optional<uint64_t> size = Number(Field(block, kSize));
  TarHeader header{.name = std::string(Text(block, kName)), .size = size.value_or(0), .type = block[kType]};
  if (!size) {
    throw ShardDamage(offset, fmt::format("the size of the member \"{}\" is no number", header.name));
  }
  const std::string_view prefix = Text(block, kPrefix);
  // GNU's old header has other things where ustar has the prefix.
  if (!prefix.empty() && Field(block, kMagic) == std::string_view("ustar\0", 6)) {
    header.name = fmt::format("{}/{}", prefix, header.name);
  }
  return header;
}

std::string MakeTarHeader(const TarMember& member) {
  std::string block(kTarBlock, '\0');
  const auto put = [&](Place place, std::string_view text) {
    block.replace(place.offset, text.size(), text);
  };
  // Octal digits that fill the field but for the zero at its end.
  const auto number = [&](Place place, uint64_t value) {
    put(place, fmt::format("{:0{}o}", value, place.length - 1));
  };
  put(kName, member.name);
  number(kMode, member.mode);
  number(kUser, 0);
  number(kGroup, 0);
  number(kSize, member.size);
  number(kTime, member.modified);
  block[kType] = member.type;
  put(kLink, member.target);
  put(kMagic, std::string_view("ustar\0"
                               "00",
                               8));  // and the version
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<uint8_t>(byte);
  sum += kChecksum.length * ' ';
  put(kChecksum, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block;
}

PaxFields ReadPaxFields(std::string_view records, uint64_t offset) {
  PaxFields fields;
  while (!records.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(records.data(), records.data() + records.size(), length);
    const size_t digits = static_cast<size_t>(end - records.data());
    if (error != std::errc() || length > records.size() || length < digits + 2 || *end != ' ' ||
        records[length - 1] != '\n') {
      throw ShardDamage(offset, "a record of the pax header does not parse");
    }
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    records.remove_prefix(length);
    const size_t equals = record.find('=');
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : record.substr(equals + 1);
    if (key == "path") fields.path = value;
    if (key.starts_with("GNU.sparse.")) fields.sparse = true;
    if (key != "size") continue;
    uint64_t size = 0;
    const auto [rest, wrong] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (wrong != std::errc() || rest != value.data() + value.size()) {
      throw ShardDamage(offset, fmt::format("the pax header gives the size \"{}\"", value));
    }
    fields.size = size;
  }
  return fields;
}

}  // namespace bucketline
