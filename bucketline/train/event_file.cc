#include "bucketline/train/event_file.h"

#include <bit>

#include "bucketline/base/crc32c.h"

namespace bucketline {
namespace {

// Protocol buffers' wire types.
constexpr uint32_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

void AppendLittleEndian(uint64_t value, int bytes, std::string& to) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(value >> (8 * i)));
}

void AppendVarint(uint64_t value, std::string& to) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

void AppendTag(uint32_t field, uint32_t wire_type, std::string& to) {
  AppendVarint(field << 3 | wire_type, to);
}

void AppendBytes(uint32_t field, std::string_view value, std::string& to) {
  AppendTag(field, kBytes, to);
  AppendVarint(value.size(), to);
  to += value;
}

// Event { double wall_time = 1; int64 step = 2; ... }
std::string EventAt(double wall_time, int64_t step) {
  std::string event;
  AppendTag(1, kFixed64, event);
  AppendLittleEndian(std::bit_cast<uint64_t>(wall_time), 8, event);
  if (step != 0) {
    AppendTag(2, kVarint, event);
    AppendVarint(static_cast<uint64_t>(step), event);
  }
  return event;
}

}  // namespace

void AppendRecord(std::string_view data, std::string& file) {
  std::string length;
  AppendLittleEndian(data.size(), 8, length);
  file += length;
  AppendLittleEndian(MaskedCrc32c(Crc32cOf(length)), 4, file);
  file += data;
  AppendLittleEndian(MaskedCrc32c(Crc32cOf(data)), 4, file);
}

std::string FileVersionEvent(double wall_time) {
  std::string event = EventAt(wall_time, 0);
  AppendBytes(3, "brain.Event:2", event);  // file_version
  return event;
}

std::string ScalarEvent(double wall_time, int64_t step, std::string_view tag, float value) {
  std::string entry;  // Summary.Value { string tag = 1; float simple_value = 2; }
  AppendBytes(1, tag, entry);
  AppendTag(2, kFixed32, entry);
  AppendLittleEndian(std::bit_cast<uint32_t>(value), 4, entry);
  std::string summary;  // Summary { repeated Value value = 1; }
  AppendBytes(1, entry, summary);
  std::string event = EventAt(wall_time, step);
  AppendBytes(5, summary, event);
  return event;
}

std::string SessionStartEvent(double wall_time, int64_t step) {
  std::string log;  // SessionLog { SessionStatus status = 1; }, START = 1
  AppendTag(1, kVarint, log);
  AppendVarint(1, log);
  std::string event = EventAt(wall_time, step);
  AppendBytes(7, log, event);
  return event;
}

}  // namespace bucketline
