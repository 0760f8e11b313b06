// Bytes: an immutable slice of memory and whoever must be told when the last copy of it goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bucketline {

// Cheap to copy; thread-safe like shared_ptr. Knows nothing of budgets: the release hook does.
class Bytes {
 public:
  Bytes() = default;

  // Shares `owner`, which keeps [data, data + size) alive.
  Bytes(std::shared_ptr<const void> owner, const uint8_t* data, size_t size)
      : owner_(std::move(owner)), data_(data), size_(size) {}

  // Calls `release` once, on whichever thread drops the last copy.
  static Bytes WithRelease(const uint8_t* data, size_t size, std::function<void()> release) {
    std::shared_ptr<const void> owner(data, [release = std::move(release)](const void*) { release(); });
    return Bytes(std::move(owner), data, size);
  }
  static Bytes FromVector(std::vector<uint8_t> vector) {
    auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(vector));
    return Bytes(owner, owner->data(), owner->size());
  }
  static Bytes Copy(std::string_view text) {
    return FromVector(std::vector<uint8_t>(text.begin(), text.end()));
  }

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const uint8_t> span() const { return {data_, size_}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  std::string ToString() const { return std::string(view()); }

  // Precondition: offset + length <= size().
  Bytes Slice(size_t offset, size_t length) const { return Bytes(owner_, data_ + offset, length); }

 private:
  std::shared_ptr<const void> owner_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace bucketline
