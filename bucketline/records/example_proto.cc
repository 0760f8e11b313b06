#include "bucketline/records/example_proto.h"

#include <bit>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kSized = 2, kFixed32 = 5 };
constexpr uint64_t kLastField = (uint64_t{1} << 29) - 1;

// One field of a message: its number and, by its type, its value.
struct WireField {
  uint64_t number = 0;
  WireType type = kVarint;
  uint64_t integer = 0;    // kVarint and the fixed ones
  std::string_view bytes;  // kSized
};

WireField NextField(ByteReader* reader) {
  const uint64_t tag = reader->Varint();
  WireField field{.number = tag >> 3, .type = static_cast<WireType>(tag & 7), .integer = 0, .bytes = {}};
  if (field.number == 0 || field.number > kLastField) {
    throw Error(ErrorCode::kCorruptData, fmt::format("a message has a field of number {}", field.number));
  }
  switch (field.type) {
    case kVarint:
      field.integer = reader->Varint();
      return field;
    case kFixed64:
      field.integer = reader->Fixed64();
      return field;
    case kFixed32:
      field.integer = reader->Fixed32();
      return field;
    case kSized:
      field.bytes = reader->Sized();
      return field;
  }
  throw Error(ErrorCode::kCorruptData, fmt::format("a message has a field of the wire type {}", tag & 7));
}

// Calls `take` with each field of `message`.
template <typename Take>
void ForEachField(std::string_view message, Take take) {
  ByteReader reader(message);
  while (!reader.done()) take(NextField(&reader));
}

void ReadBytesList(std::string_view message, std::vector<std::string_view>* values) {
  ForEachField(message, [&](const WireField& field) {
    if (field.number == 1 && field.type == kSized) values->push_back(field.bytes);
  });
}

// Numbers come packed, and from old writers one field each.
void ReadIntegers(std::string_view message, std::vector<int64_t>* values) {
  ForEachField(message, [&](const WireField& field) {
    if (field.number != 1) return;
    if (field.type == kVarint) values->push_back(static_cast<int64_t>(field.integer));
    if (field.type != kSized) return;
    for (ByteReader packed(field.bytes); !packed.done();)
      values->push_back(static_cast<int64_t>(packed.Varint()));
  });
}

void ReadFloats(std::string_view message, std::vector<float>* values) {
  const auto add = [&](uint32_t bits) { values->push_back(std::bit_cast<float>(bits)); };
  ForEachField(message, [&](const WireField& field) {
    if (field.number != 1) return;
    if (field.type == kFixed32) add(static_cast<uint32_t>(field.integer));
    if (field.type != kSized) return;
    for (ByteReader packed(field.bytes); !packed.done();) add(packed.Fixed32());
  });
}

// The list of `feature` as a T: a new one if it holds another kind, of which only the last counts.
template <typename T>
std::vector<T>* ListOf(ExampleFeature* feature) {
  if (auto* list = std::get_if<std::vector<T>>(&feature->values)) return list;
  return &feature->values.template emplace<std::vector<T>>();
}

void ReadFeature(std::string_view message, ExampleFeature* feature) {
  ForEachField(message, [&](const WireField& field) {
    if (field.type != kSized) return;
    if (field.number == 1) ReadBytesList(field.bytes, ListOf<std::string_view>(feature));
    if (field.number == 2) ReadFloats(field.bytes, ListOf<float>(feature));
    if (field.number == 3) ReadIntegers(field.bytes, ListOf<int64_t>(feature));
  });
}

ExampleFeature ReadEntry(std::string_view message) {
  ExampleFeature feature;
  ForEachField(message, [&](const WireField& field) {
    if (field.number == 1 && field.type == kSized) feature.name = field.bytes;
    if (field.number == 2 && field.type == kSized) ReadFeature(field.bytes, &feature);
  });
  return feature;
}

}  // namespace

std::vector<ExampleFeature> ReadExample(std::string_view message) {
  std::vector<ExampleFeature> features;
  std::unordered_map<std::string_view, size_t> places;  // in `features`
  ForEachField(message, [&](const WireField& field) {
    if (field.number != 1 || field.type != kSized) return;
    ForEachField(field.bytes, [&](const WireField& entry) {
      if (entry.number != 1 || entry.type != kSized) return;
      ExampleFeature feature = ReadEntry(entry.bytes);
      const auto [known, is_new] = places.emplace(feature.name, features.size());
      if (is_new) {
        features.push_back(std::move(feature));
      } else {
        features[known->second] = std::move(feature);
      }
    });
  });
  return features;
}

}  // namespace bucketline
