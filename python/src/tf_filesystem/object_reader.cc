#include "src/tf_filesystem/object_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "bucketline/store/blocking.h"

namespace bucketline::tf {
namespace {

constexpr uint64_t kSmallestWindow = 256 << 10;  // bytes: costs hardly more than the request itself
constexpr uint64_t kLargestWindow = 8 << 20;
constexpr uint64_t kLargestRead = 64 << 20;  // held beside the caller's own memory

}  // namespace

ObjectReader::ObjectReader(Place place)
    : place_(std::move(place)),
      object_(HeadObject(*place_.store, place_.key)),
      window_{.at = 0, .bytes = {}, .next = kSmallestWindow} {}

size_t ObjectReader::Window::Copy(uint64_t offset, std::span<uint8_t> target) const {
  if (offset < at || offset >= end()) return 0;
  const size_t count = std::min<uint64_t>(target.size(), end() - offset);
  std::memcpy(target.data(), bytes.data() + (offset - at), count);
  return count;
}

size_t ObjectReader::Read(uint64_t offset, std::span<uint8_t> target) {
  place_.engine->CheckProcess();
  if (offset >= size()) return 0;
  target = target.first(std::min<uint64_t>(target.size(), size() - offset));
  Window window;
  {
    std::lock_guard lock(mutex_);
    window = window_;
  }
  size_t done = window.Copy(offset, target);
  if (done == target.size()) return done;
  while (done < target.size()) {
    window = Fetch(window, offset + done, target.size() - done);
    done += window.Copy(offset + done, target.subspan(done));
  }
  if (window.bytes.size() >
      kLargestWindow) {  // all of it is the caller's: only the place is worth remembering
    window.at = window.end();
    window.bytes = {};
  }
  std::lock_guard lock(mutex_);
  window_ = std::move(window);
  return done;
}

ObjectReader::Window ObjectReader::Fetch(const Window& before, uint64_t offset, uint64_t wanted) const {
  const uint64_t ahead = offset == before.end() ? before.next : kSmallestWindow;
  const uint64_t length = std::min({std::max(wanted, ahead), kLargestRead, size() - offset});
  GetRequest request{
      .key = place_.key, .offset = offset, .length = length, .pin = {object_.etag, object_.size}};
  return {.at = offset,
          .bytes = GetBytes(*place_.store, std::move(request), length),
          .next = std::min(2 * ahead, kLargestWindow)};
}

}  // namespace bucketline::tf
