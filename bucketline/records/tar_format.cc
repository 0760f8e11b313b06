#include "bucketline/records/tar_format.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/tar_header.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestExtension = uint64_t{1} << 20;  // of a long name, or of pax records

constexpr size_t kMostMembers = 1024;     // of a sample
constexpr size_t kSparseGoesOn = 482;     // of the header: not 0 when a block of the map follows it
constexpr size_t kSparseMapGoesOn = 504;  // of such a block

enum Type : char {
  kFile = '0',
  kOldFile = '\0',
  kContiguousFile = '7',
  kPax = 'x',
  kLongName = 'L',
  kGnuSparse = 'S',
  kVolume = 'M',
};

bool IsFile(char type) {
  return type == kFile || type == kOldFile || type == kContiguousFile || type == kGnuSparse;
}

class TarScanner {
 public:
  TarScanner(ShardBytes& shard, std::string_view label, SampleSink& sink)
      : shard_(shard), label_(label), sink_(sink) {}

  void Run() {
    while (std::optional<TarHeader> header = NextHeader()) Visit(*std::move(header));
    Flush();
  }

 private:
  // The next member, at header_; its payload starts at `at_`. nullopt at the end mark.
  std::optional<TarHeader> NextHeader() {
    header_ = at_;
    try {
      return ReadHeader();
    } catch (const ShardDamage&) {
      if (header_ == 0) RefuseCompressed(shard_);
      throw;
    }
  }

  std::optional<TarHeader> ReadHeader() {
    if (shard_.size() - at_ < kTarBlock) {
      throw ShardDamage(at_,
                        "the archive ends without the two blocks of zeros that mark its end: it was cut off");
    }
    std::optional<TarHeader> header = ReadTarHeader(shard_.At(at_, kTarBlock), at_);
    if (!header) return std::nullopt;
    at_ += kTarBlock;
    if (header->type == kGnuSparse) PassSparseMap();
    if (pax_.size) header->size = *pax_.size;
    if (header->size > shard_.size() - at_) {
      if (const auto split = SplitMemberName(header->name); split && split->sample != sample_.key) Flush();
      throw ShardDamage(
          header_, fmt::format("the member \"{}\" has {} bytes, and the shard ends after {} of them: it was "
                               "cut off",
                               header->name, header->size, shard_.size() - at_));
    }
    return header;
  }

  // GNU's sparse header may go on in further blocks, which the member's size does not count.
  void PassSparseMap() {
    bool more = shard_.At(header_, kTarBlock)[kSparseGoesOn] != 0;
    for (; more; at_ += kTarBlock) more = shard_.At(at_, kTarBlock)[kSparseMapGoesOn] != 0;
  }

  void Visit(TarHeader header) {
    const uint64_t payload = at_;
    at_ += std::min(header.size + TarPadding(header.size), shard_.size() - at_);
    if (header.type == kVolume) {
      throw Error(ErrorCode::kUnsupported, "the archive goes over several volumes; write it as one");
    }
    if (header.type == kPax) {
      pax_ = ReadPaxFields(Extension(header, payload), header_);
      return;
    }
    if (header.type == kLongName) {
      const std::string_view name = Extension(header, payload);
      long_name_ = name.substr(0, name.find('\0'));
      return;
    }
    if (long_name_) header.name = *long_name_;
    if (pax_.path) header.name = *pax_.path;
    const bool sparse = pax_.sparse || header.type == kGnuSparse;
    pax_ = {};
    long_name_.reset();
    if (IsFile(header.type)) AddFile(header, payload, sparse);
  }

  std::string_view Extension(const TarHeader& header, uint64_t payload) {
    if (header.size > kLargestExtension) {
      throw ShardDamage(header_, fmt::format("a name or header of {} bytes is no sensible one", header.size));
    }
    return shard_.At(payload, header.size);
  }

  void AddFile(const TarHeader& header, uint64_t payload, bool sparse) {
    const std::optional<MemberName> split = SplitMemberName(header.name);
    if (!split) return;
    if (split->sample != sample_.key) {
      Flush();
      sample_ = {.key = split->sample, .offset = header_, .members = {}};
    }
    if (sparse) {
      sink_.Skip({header_,
                  fmt::format("the member \"{}\" is sparse: its bytes are not stored as they are; write the "
                              "archive without sparse files",
                              header.name)});
      return;
    }
    if (sample_.members.size() == kMostMembers) {
      sink_.Skip({header_, fmt::format("the sample has more than {} members", kMostMembers)});
      return;
    }
    const auto is_same = [&](const ShardMember& member) { return member.name == split->member; };
    if (std::any_of(sample_.members.begin(), sample_.members.end(), is_same)) {
      sink_.Skip({header_, fmt::format("the member \"{}\" stands twice in its sample", header.name)});
      return;
    }
    ShardMember member{.name = split->member, .offset = payload, .length = header.size};
    if (!label_.empty() && member.name == label_) {
      if (header.size > kLargestLabelMember) {
        sink_.Skip({header_, fmt::format("the label \"{}\" has {} bytes", header.name, header.size)});
        return;
      }
      member.value = std::string(shard_.At(payload, header.size));
    }
    sample_.members.push_back(std::move(member));
  }

  void Flush() {
    if (!sample_.members.empty()) sink_.Take(std::move(sample_));
    sample_ = {};
  }

  ShardBytes& shard_;
  const std::string_view label_;
  SampleSink& sink_;
  uint64_t at_ = 0;
  uint64_t header_ = 0;
  PaxFields pax_;
  std::optional<std::string> long_name_;
  ShardSample sample_;
};

}  // namespace

std::optional<MemberName> SplitMemberName(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  const size_t name = path.rfind('/') + 1;  // 0 without one
  const size_t dot = path.find('.', name);
  if (dot == std::string_view::npos || dot == name) return std::nullopt;
  const std::string_view base = path.substr(name);
  if (base.starts_with("__") && base.ends_with("__")) return std::nullopt;
  MemberName split{.sample = std::string(path.substr(0, dot)), .member = std::string(path.substr(dot + 1))};
  for (char& c : split.member) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return split;
}

void ScanTar(ShardBytes& shard, std::string_view label, SampleSink& sink) {
  TarScanner(shard, label, sink).Run();
}

}  // namespace bucketline
