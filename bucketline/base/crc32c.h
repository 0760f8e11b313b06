// CRC32C at the speed of the processor: with its own instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace bucketline {

// Of the whole of `bytes`: what Crc32c (base/crc.h) says of them.
uint32_t Crc32cOf(std::string_view bytes);

}  // namespace bucketline
