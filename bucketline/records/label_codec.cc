#include "bucketline/records/label_codec.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr int kOneHot = 0x80;  // beside kVector: classes stand before the values

// The least number of bytes, of those a section may have, that holds every value as two's complement.
int SignedWidth(const std::vector<int64_t>& values) {
  int width = 1;
  for (const int64_t value : values) {
    while (width < 8 && value != static_cast<int64_t>(static_cast<uint64_t>(value) << (64 - 8 * width)) >>
                                     (64 - 8 * width)) {
      width *= 2;
    }
  }
  return width;
}

int IndexWidth(size_t classes) { return classes <= 0x100 ? 1 : classes <= 0x10000 ? 2 : 4; }

void AppendIntegers(std::string* out, const std::vector<int64_t>& values, int width) {
  out->push_back(static_cast<char>(width));
  out->reserve(out->size() + values.size() * static_cast<size_t>(width));
  for (const int64_t value : values) {
    for (int i = 0; i < width; ++i)
      out->push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  }
}

// `count` values take exactly the rest of the section; says so in numbers that cannot overflow.
void CheckRest(const ByteReader& reader, uint64_t count, uint64_t width) {
  if (width != 0 && reader.left() % width == 0 && reader.left() / width == count) return;
  throw Error(ErrorCode::kCorruptData,
              fmt::format("the labels take {} bytes where {} values of {} are expected", reader.left(), count,
                          width));
}

std::vector<int64_t> ReadIntegers(ByteReader* reader, uint64_t records, bool is_signed) {
  const unsigned width = reader->Byte();
  if (!std::has_single_bit(width) || width > 8) {
    throw Error(ErrorCode::kCorruptData, fmt::format("labels of {} bytes each are unknown", width));
  }
  CheckRest(*reader, records, width);
  std::vector<int64_t> values(records);
  const unsigned unused = 64 - 8 * width;
  for (int64_t& value : values) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < width; ++i) bits |= uint64_t{reader->Byte()} << (8 * i);
    value = is_signed ? static_cast<int64_t>(bits << unused) >> unused : static_cast<int64_t>(bits);
  }
  return values;
}

bool IndexesClasses(const LabelColumn& labels) {
  return std::all_of(labels.integers.begin(), labels.integers.end(), [&](int64_t label) {
    return label >= 0 && static_cast<uint64_t>(label) < labels.classes.size();
  });
}

}  // namespace

void CheckLabels(const LabelColumn& labels, uint64_t records) {
  const bool counted = labels.kind == LabelKind::kClass || labels.kind == LabelKind::kInteger;
  const bool measured = labels.kind == LabelKind::kFloat || labels.kind == LabelKind::kVector;
  const uint64_t width = labels.kind == LabelKind::kVector ? labels.width : 1;
  if (counted && labels.integers.size() != records) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("{} labels for {} records; give one label a record",
                                                         labels.integers.size(), records));
  }
  if (measured &&
      (width == 0 || labels.floats.size() % width != 0 || labels.floats.size() / width != records)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} label values for {} records; give {} a record", labels.floats.size(), records,
                            std::max<uint64_t>(width, 1)));
  }
  if (labels.kind == LabelKind::kVector && !labels.classes.empty() && labels.classes.size() != labels.width) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("one-hot labels of {} values have {} classes",
                                                         labels.width, labels.classes.size()));
  }
  if (labels.kind == LabelKind::kClass && !IndexesClasses(labels)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a label is not an index into the {} classes", labels.classes.size()));
  }
}

std::string EncodeLabels(const LabelColumn& labels) {
  const bool one_hot = labels.kind == LabelKind::kVector && !labels.classes.empty();
  std::string out(1, static_cast<char>(static_cast<int>(labels.kind) | (one_hot ? kOneHot : 0)));
  if (labels.kind == LabelKind::kClass || one_hot) {
    AppendVarint(&out, labels.classes.size());
    for (const std::string& name : labels.classes) AppendSized(&out, name);
  }
  if (labels.kind == LabelKind::kClass) {
    AppendIntegers(&out, labels.integers, IndexWidth(labels.classes.size()));
  }
  if (labels.kind == LabelKind::kInteger) AppendIntegers(&out, labels.integers, SignedWidth(labels.integers));
  if (labels.kind == LabelKind::kFloat || labels.kind == LabelKind::kVector) {
    AppendVarint(&out, labels.kind == LabelKind::kVector ? labels.width : 1);
    for (const float value : labels.floats) AppendFixed32(&out, std::bit_cast<uint32_t>(value));
  }
  return out;
}

LabelColumn DecodeLabels(std::string_view bytes, uint64_t records) {
  ByteReader reader(bytes);
  LabelColumn labels;
  const uint8_t form = reader.Byte();
  const bool one_hot = form == (static_cast<uint8_t>(LabelKind::kVector) | kOneHot);
  if (form > static_cast<uint8_t>(LabelKind::kVector) && !one_hot) {
    throw Error(ErrorCode::kCorruptData, fmt::format("labels of kind {} are unknown", form));
  }
  labels.kind = one_hot ? LabelKind::kVector : static_cast<LabelKind>(form);
  if (labels.kind == LabelKind::kClass || one_hot) {
    for (uint64_t left = reader.Varint(); left > 0; --left) labels.classes.emplace_back(reader.Sized());
  }
  if (labels.kind == LabelKind::kNone) {
    CheckRest(reader, 0, 1);
  } else if (labels.kind == LabelKind::kClass) {
    labels.integers = ReadIntegers(&reader, records, false);
    if (!IndexesClasses(labels))
      throw Error(ErrorCode::kCorruptData, "a label names a class that does not exist");
  } else if (labels.kind == LabelKind::kInteger) {
    labels.integers = ReadIntegers(&reader, records, true);
  } else {
    labels.width = reader.Varint();
    const uint64_t left = reader.left() / 4;
    if (one_hot && labels.classes.size() != labels.width) {
      throw Error(ErrorCode::kCorruptData, fmt::format("one-hot labels of {} values have {} classes",
                                                       labels.width, labels.classes.size()));
    }
    if (labels.width == 0 || labels.width > std::max<uint64_t>(left, 1) ||
        (labels.kind == LabelKind::kFloat && labels.width != 1) || left % labels.width != 0 ||
        left / labels.width != records) {
      throw Error(ErrorCode::kCorruptData, fmt::format("{} label values are not {} a record for {} records",
                                                       left, labels.width, records));
    }
    CheckRest(reader, left, 4);
    labels.floats.reserve(left);
    while (!reader.done()) labels.floats.push_back(std::bit_cast<float>(reader.Fixed32()));
  }
  return labels;
}

}  // namespace bucketline
