// What tests of shards share: archives made in the test, a shard in RAM, and a sink that remembers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/records/shard_scan.h"

namespace bucketline::records_testing {

class TextShard : public ShardBytes {
 public:
  explicit TextShard(std::string text) : text_(std::move(text)) {}

  uint64_t size() const override { return text_.size(); }
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  std::string_view Read(uint64_t offset, uint64_t length) override {
    bytes_read_ += length;
    return std::string_view(text_).substr(offset, length);
  }

  std::string text_;
  uint64_t bytes_read_ = 0;
};

struct RememberingSink : SampleSink {
  void Take(ShardSample sample) override { samples.push_back(std::move(sample)); }
  void Skip(const ShardDamage& damage) override { skipped.emplace_back(damage.what()); }

  std::vector<ShardSample> samples;
  std::vector<std::string> skipped;
};

using Scanner = void (*)(ShardBytes& shard, std::string_view label, SampleSink& sink);

// What the scan of `text` finds; `damage` is what it threw, "" for nothing.
struct Found : RememberingSink {
  std::string damage;
};
inline Found ScanText(Scanner scan, std::string text, std::string_view label = "") {
  TextShard shard(std::move(text));
  Found found;
  try {
    scan(shard, label, found);
  } catch (const ShardDamage& thrown) {
    found.damage = thrown.what();
  }
  return found;
}

// "key: name@offset+length name@offset+length", one text a sample.
inline std::vector<std::string> Shown(const std::vector<ShardSample>& samples) {
  std::vector<std::string> texts;
  for (const ShardSample& sample : samples) {
    std::string text = sample.key + ":";
    for (const ShardMember& member : sample.members) {
      text += fmt::format(" {}@{}+{}", member.name, member.offset, member.length);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

// The header block of a ustar member, its checksum right.
inline std::string TarHeaderBlock(std::string_view name, uint64_t size, char type = '0',
                                  std::string_view prefix = "") {
  std::string block(512, '\0');
  const auto put = [&](size_t at, std::string_view text) { block.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000644");
  put(124, fmt::format("{:011o}", size));
  put(156, std::string_view(&type, 1));
  put(257, std::string_view("ustar\00000", 8));
  put(345, prefix);
  put(148, "        ");
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<uint8_t>(byte);
  put(148, fmt::format("{:06o}", sum) + '\0');
  return block;
}

// A member: header, bytes, padding.
inline std::string TarMember(std::string_view name, std::string_view bytes, char type = '0') {
  std::string member = TarHeaderBlock(name, bytes.size(), type);
  member += bytes;
  member.resize((member.size() + 511) / 512 * 512);
  return member;
}

inline std::string PaxRecord(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (rest + fmt::format("{}", length).size() != length) ++length;
  return fmt::format("{} {}={}\n", length, key, value);
}

inline std::string TarEnd() { return std::string(1024, '\0'); }

inline std::string Tar(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string archive;
  for (const auto& [name, bytes] : members) archive += TarMember(name, bytes);
  return archive + TarEnd();
}

}  // namespace bucketline::records_testing
