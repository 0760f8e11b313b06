// Shard scan: what a format's scanner is given and what it finds: the samples of a shard and where their bytes are.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/label_table.h"

namespace bucketline {

// What is wrong with the bytes of a shard, and where. Unlike an Error of the store it may be passed over, if the user
// says so: thrown, it ends the shard; given to SampleSink::Skip, only what it speaks of is left out.
class ShardDamage : public std::exception {
 public:
  ShardDamage(uint64_t offset, std::string what);

  uint64_t offset() const { return offset_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  uint64_t offset_;
  std::string what_;
};

// The bytes of one shard, wherever they are. For one thread.
class ShardBytes {
 public:
  virtual ~ShardBytes() = default;
  virtual uint64_t size() const = 0;

  // Valid until the next call. Throws ShardDamage when the shard ends before offset + length, and what the store says.
  std::string_view At(uint64_t offset, uint64_t length);

 private:
  // Precondition: the range is inside the shard.
  virtual std::string_view Read(uint64_t offset, uint64_t length) = 0;
};

// One member of a sample: an archive's file, a feature, a column.
struct ShardMember {
  std::string name;     // within its sample: "jpg", "image/encoded"
  uint64_t offset = 0;  // of its bytes in the shard; not for numbers, which have none of their own
  uint64_t length = 0;
  // Its bytes where the scanner has read and checked them; valid while Take runs. Parts of such members are checked
  // again whenever they are read.
  std::optional<std::string_view> bytes = {};
  std::optional<LabelValue> value = {};     // of numbers, and of the member that is the label
  std::optional<std::string> no_part = {};  // why its bytes cannot be a part: "is a list of 3 integers"
};

struct ShardSample {
  std::string key;      // unique in the shard
  uint64_t offset = 0;  // where the sample begins, for messages
  std::vector<ShardMember> members;
};

// Who takes what a scanner finds. What it throws ends the scan and comes out of it.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual void Take(ShardSample sample) = 0;         // in the order of the shard
  virtual void Skip(const ShardDamage& damage) = 0;  // the scan goes on behind it

  // Of formats whose samples all have the same members, once before the first Take: which of them may become parts. Of the
  // others no more than the label need be read, and samples may come without them.
  virtual std::vector<bool> WantedParts(const std::vector<std::string>& members) {
    return std::vector<bool>(members.size(), true);
  }
  // The names of the label's numbers, 0 and on, where the shard says so.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): who wants them keeps them.
  virtual void NameClasses(std::vector<std::string> /*classes*/) {}
};

// Members that hold labels are small; larger ones are damage.
inline constexpr uint64_t kLargestLabelMember = uint64_t{1} << 20;

// The key of a sample without a name: its number in the shard, ten digits, so that keys stand in the shard's order.
std::string NumberedKey(uint64_t number);

// Throws kUnsupported for a shard that is compressed as a whole: nothing in it can be found without unpacking it. For
// shards that do not begin as they should: some that do happen to look compressed.
void RefuseCompressed(ShardBytes& shard);

}  // namespace bucketline
