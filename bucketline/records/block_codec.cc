#include "bucketline/records/block_codec.h"

#include <utility>

#include "bucketline/records/key_codec.h"
#include "bucketline/records/varint.h"

namespace bucketline {

uint64_t AddLength(uint64_t sum, uint64_t length, ErrorCode code) {
  if (length > ~sum) throw Error(code, "the sizes of the records add up to more than 2^64 bytes");
  return sum + length;
}

BlockEncoder::BlockEncoder(size_t parts) : encoders_(parts) {}

void BlockEncoder::Add(const Record& record) {
  AppendKey(&keys_, record.key, previous_key_);
  for (size_t i = 0; i < encoders_.size(); ++i) encoders_[i].Append(&bodies_, record.parts[i], record.key);
  previous_key_ = record.key;
  ++records_;
}

std::string BlockEncoder::Finish() {
  std::string block;
  AppendSized(&block, keys_);
  block += bodies_;
  *this = BlockEncoder(encoders_.size());
  return block;
}

BlockDecoder::BlockDecoder(std::string_view block, size_t parts) : parts_(parts) {
  ByteReader reader(block);
  keys_ = reader.Sized();
  bodies_ = reader.Take(reader.left());
}

std::string BlockDecoder::Key(size_t index) const {
  ByteReader reader(keys_);
  std::string key;
  for (size_t i = 0; i <= index; ++i) ReadKey(&reader, &key);
  return key;
}

uint64_t BlockDecoder::RecordBytes(size_t index) const {
  ByteReader reader(bodies_);
  std::vector<PartDecoder> decoders(parts_);
  for (size_t i = 0; i <= index; ++i) {
    for (PartDecoder& decoder : decoders) decoder.Next(&reader);
  }
  uint64_t bytes = 0;
  for (const PartDecoder& decoder : decoders) {
    bytes = AddLength(bytes, decoder.length(), ErrorCode::kCorruptData);
  }
  return bytes;
}

Record BlockDecoder::At(size_t index) const {
  ByteReader reader(bodies_);
  std::vector<PartDecoder> decoders(parts_);
  for (size_t i = 0; i <= index; ++i) {
    for (PartDecoder& decoder : decoders) decoder.Next(&reader);
  }
  Record record{.key = Key(index), .parts = {}};
  for (const PartDecoder& decoder : decoders) record.parts.push_back(decoder.Part(record.key));
  return record;
}

std::vector<Record> BlockDecoder::First(size_t count) const {
  ByteReader keys(keys_);
  ByteReader bodies(bodies_);
  std::vector<PartDecoder> decoders(parts_);
  std::vector<Record> records;
  std::string key;
  while (records.size() < count) {
    ReadKey(&keys, &key);
    records.push_back({.key = key, .parts = {}});
    for (PartDecoder& decoder : decoders) {
      decoder.Next(&bodies);
      records.back().parts.push_back(decoder.Part(key));
    }
  }
  return records;
}

}  // namespace bucketline
