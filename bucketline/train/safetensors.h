// The safetensors file form: an 8-byte little-endian header length, a JSON header, then raw tensor data.
// Source: the format's own description, github.com/huggingface/safetensors.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/bytes.h"

namespace bucketline {

enum class TensorType {
  kFloat32,
  kFloat64,
  kFloat16,
  kBfloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUint8,
  kBool,
};

// A view: whoever made it keeps `data` alive. C-contiguous, little-endian.
struct TensorView {
  TensorType type = TensorType::kFloat32;
  std::vector<int64_t> shape;
  std::span<const uint8_t> data;
};

size_t TensorTypeBytes(TensorType type);

// The file's bytes. Throws kInvalidArgument when data and shape disagree.
Bytes WriteSafetensors(const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

// An opened file; its tensors are views into `bytes`, which it keeps.
class SafetensorsFile {
 public:
  // Throws kCorruptData naming what is wrong: too short, bad header, offsets outside the file or overlapping,
  // kUnsupported for a tensor of another type (F8_E4M3, ...).
  explicit SafetensorsFile(Bytes bytes);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  Bytes bytes_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace bucketline
