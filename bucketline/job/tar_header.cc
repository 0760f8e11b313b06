#include "bucketline/job/tar_header.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace bucketline {
namespace {

constexpr uint64_t kLargestUstarSize = (uint64_t{1} << 33) - 1;  // 11 octal digits

// The fields of a ustar header block.
struct Block {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char unused[12];
};
static_assert(sizeof(Block) == kTarBlock);

template <size_t n>
void SetText(char (&field)[n], std::string_view text) {
  std::memcpy(field, text.data(), std::min(n, text.size()));
}

template <size_t n>
void SetOctal(char (&field)[n], uint64_t value) {
  SetText(field, fmt::format("{:0{}o}", value, n - 1));
}

std::string BlockOf(char type, std::string_view name, std::string_view link, uint32_t mode, uint64_t size,
                    int64_t modified) {
  Block block = {};
  SetText(block.name, name);
  SetOctal(block.mode, mode);
  SetOctal(block.uid, 0);
  SetOctal(block.gid, 0);
  SetOctal(block.size, size);
  SetOctal(block.mtime, static_cast<uint64_t>(std::max<int64_t>(0, modified)));
  block.type = type;
  SetText(block.link, link);
  SetText(block.magic, std::string_view("ustar\0", 6));
  SetText(block.version, "00");
  std::memset(block.checksum, ' ', sizeof block.checksum);
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof block; ++i) sum += reinterpret_cast<const unsigned char*>(&block)[i];
  SetText(block.checksum, fmt::format("{:06o}", sum));
  block.checksum[6] = '\0';
  return {reinterpret_cast<const char*>(&block), sizeof block};
}

// "<length> <key>=<value>\n", whose length counts its own digits.
std::string PaxRecord(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return fmt::format("{} {}={}\n", length, key, value);
}

bool FitsUstar(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
  return ascii && text.size() <= sizeof(Block::name);
}

char TypeOf(ArtifactKind kind) {
  return kind == ArtifactKind::kFile ? '0' : kind == ArtifactKind::kLink ? '2' : '5';
}

}  // namespace

std::string TarHeader(const ArtifactEntry& entry) {
  const std::string name = entry.kind == ArtifactKind::kFolder ? entry.name + "/" : entry.name;
  std::string records;
  if (!FitsUstar(name)) records += PaxRecord("path", name);
  if (!FitsUstar(entry.target)) records += PaxRecord("linkpath", entry.target);
  if (entry.size > kLargestUstarSize) records += PaxRecord("size", std::to_string(entry.size));
  std::string header;
  if (!records.empty()) {
    header = BlockOf('x', "pax_header", "", 0644, records.size(), 0) + records + TarPadding(records.size());
  }
  const uint64_t size = entry.size > kLargestUstarSize ? 0 : entry.size;
  return header + BlockOf(TypeOf(entry.kind), name, entry.target, entry.mode, size, entry.modified);
}

std::string TarPadding(uint64_t size) {
  return std::string(static_cast<size_t>((kTarBlock - size % kTarBlock) % kTarBlock), '\0');
}

std::string TarEnd() { return std::string(static_cast<size_t>(2 * kTarBlock), '\0'); }

}  // namespace bucketline
