// Memory that is given to TensorFlow, which gives it back to Free.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace bucketline::tf {

inline void* Allocate(size_t size) { return std::malloc(size); }
inline void Free(void* memory) { std::free(memory); }

// Room for `count` values, all zero. Throws std::bad_alloc.
template <typename T>
T* GiveRoom(size_t count) {
  void* room = std::calloc(count, sizeof(T));
  if (room == nullptr) throw std::bad_alloc();
  return static_cast<T*>(room);
}

inline char* GiveText(std::string_view text) {
  char* copy = GiveRoom<char>(text.size() + 1);
  std::memcpy(copy, text.data(), text.size());
  return copy;
}

// Sets `*given` to an array of copies and returns its length.
inline int Give(const std::vector<std::string>& texts, char*** given) {
  *given = GiveRoom<char*>(texts.size() + 1);  // also when there are none: TensorFlow frees the array
  for (size_t i = 0; i < texts.size(); ++i) (*given)[i] = GiveText(texts[i]);
  return static_cast<int>(texts.size());
}

}  // namespace bucketline::tf
