#include "bucketline/job/artifact_header.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/records/tar_header.h"

namespace bucketline {
namespace {

// "<length> <key>=<value>\n", whose length counts its own digits.
std::string PaxRecord(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return fmt::format("{} {}={}\n", length, key, value);
}

bool FitsUstar(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
  return ascii && text.size() <= kLongestTarName;
}

char TypeOf(ArtifactKind kind) {
  return kind == ArtifactKind::kFile ? '0' : kind == ArtifactKind::kLink ? '2' : '5';
}

}  // namespace

std::string ArtifactHeader(const ArtifactEntry& entry) {
  const std::string name = entry.kind == ArtifactKind::kFolder ? entry.name + "/" : entry.name;
  const bool size_fits = entry.size <= kLargestTarMember;
  std::string records;
  if (!FitsUstar(name)) records += PaxRecord("path", name);
  if (!FitsUstar(entry.target)) records += PaxRecord("linkpath", entry.target);
  if (!size_fits) records += PaxRecord("size", std::to_string(entry.size));
  std::string header;
  if (!records.empty()) {
    header = MakeTarHeader({.name = "pax_header", .size = records.size(), .type = 'x'}) + records +
             std::string(TarPadding(records.size()), '\0');
  }
  const auto modified = static_cast<uint64_t>(std::clamp<int64_t>(entry.modified, 0, kLargestTarTime));
  const std::string_view kept_name = std::string_view(name).substr(0, kLongestTarName);
  return header + MakeTarHeader({.name = kept_name,
                                 .size = size_fits ? entry.size : 0,
                                 .type = TypeOf(entry.kind),
                                 .mode = entry.mode,
                                 .modified = modified,
                                 .target = std::string_view(entry.target).substr(0, kLongestTarName)});
}

}  // namespace bucketline
