// Tar shards as WebDataset reads them. A sample is 0000000017.jpg, 0000000017.json and, where its label is a whole number,
// 0000000017.cls. Owner, mode and time are the same for all, so that equal samples give equal bytes.
#include <array>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/shard_encoder.h"
#include "bucketline/records/shard_scan.h"
#include "bucketline/records/tar_header.h"

namespace bucketline {
namespace {

constexpr size_t kLongestPart = 60;  // characters of its name
constexpr std::array<std::string_view, 3> kOwnMembers = {"json", "cls", "txt"};

uint64_t MemberSize(uint64_t length) { return kTarBlock + length + TarPadding(length); }

std::optional<std::string> ClassText(const SampleToPack& sample) {
  const auto* integer = std::get_if<int64_t>(&sample.label);
  if (integer == nullptr) return std::nullopt;
  return fmt::format("{}", *integer);
}

// What follows the sample's number in the member's name. Data that is JSON itself is not to be taken for ours.
std::string MemberOf(const std::string& part, const std::string& extension) {
  if (!part.empty()) return fmt::format("{}.{}", part, extension);
  for (const std::string_view own : kOwnMembers) {
    if (extension == own) return fmt::format("data.{}", extension);
  }
  return extension;
}

class TarEncoder : public ShardEncoder {
 public:
  explicit TarEncoder(PackSchema schema) : schema_(std::move(schema)) {}

  void Add(const SampleToPack& sample, const Emit& emit) override {
    const std::string name = NumberedKey(sample.number);
    for (size_t i = 0; i < sample.parts.size(); ++i) {
      const PartToPack& part = sample.parts[i];
      offsets_.push_back(at_ + kTarBlock);
      Member(fmt::format("{}.{}", name, MemberOf(schema_.part_names[i], part.extension)), part.bytes, emit);
    }
    if (const std::optional<std::string> text = ClassText(sample)) Member(name + ".cls", *text, emit);
    Member(name + ".json", SampleJson(schema_, sample), emit);
  }

  std::vector<uint64_t> Finish(const Emit& emit) override {
    emit(std::string(kTarEnd, '\0'));
    return std::move(offsets_);
  }

 private:
  void Member(const std::string& name, std::string_view bytes, const Emit& emit) {
    emit(MakeTarHeader({.name = name, .size = bytes.size()}));
    emit(bytes);
    emit(std::string(TarPadding(bytes.size()), '\0'));
    at_ += MemberSize(bytes.size());
  }

  const PackSchema schema_;
  uint64_t at_ = 0;
  std::vector<uint64_t> offsets_;
};

void Check(const PackSchema& schema) {
  for (const std::string& name : schema.part_names) {
    if (name.size() > kLongestPart || name.find_first_of(std::string_view("./\0", 3)) != std::string::npos) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("the part \"{}\" cannot be a tar's member: its name may have {} characters, and "
                      "no dot or slash; give it another",
                      name, kLongestPart));
    }
  }
}

uint64_t SampleSize(const PackSchema& schema, const SampleToPack& sample) {
  uint64_t size = MemberSize(SampleJson(schema, sample).size());
  if (const std::optional<std::string> text = ClassText(sample)) size += MemberSize(text->size());
  for (const PartToPack& part : sample.parts) size += MemberSize(part.length);
  return size;
}

uint64_t Overhead(const PackSchema&) { return kTarEnd; }

std::unique_ptr<ShardEncoder> Make(const PackSchema& schema) { return std::make_unique<TarEncoder>(schema); }

}  // namespace

const ShardEncoding kTarEncoding = {
    .name = "tar",
    .extension = "tar",
    .check = Check,
    .sample_size = SampleSize,
    .shard_overhead = Overhead,
    .largest_part = kLargestTarMember,
    .largest_shard = uint64_t{1} << 40,
    .holds_shard = false,
    .make = Make,
};

}  // namespace bucketline
