// CRC32C at the speed of the processor: with its own instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace bucketline {

// Of the whole of `bytes`: what Crc32c (base/crc.h) says of them.
uint32_t Crc32cOf(std::string_view bytes);

// As TFRecord files, and with them TensorBoard's event files, have it: rotated and moved, so that a CRC of CRCs is no
// weak one.
uint32_t MaskedCrc32c(uint32_t crc32c);

}  // namespace bucketline
