#include "bucketline/inspect/jpeg_floor.h"

// jpeglib.h needs size_t and FILE declared before it.
#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <jpeglib.h>

#include "bucketline/base/error.h"

namespace bucketline {

struct JpegFloor::Impl {
  jpeg_decompress_struct decoder;
  jpeg_error_mgr errors;
  std::jmp_buf jump;
  std::vector<uint8_t> row;
};

namespace {

void Fail(j_common_ptr decoder) { std::longjmp(*static_cast<std::jmp_buf*>(decoder->client_data), 1); }

void Ignore(j_common_ptr, int) {}

}  // namespace

JpegFloor::JpegFloor() : impl_(new Impl) {
  impl_->decoder.err = jpeg_std_error(&impl_->errors);
  impl_->errors.error_exit = Fail;
  impl_->errors.emit_message = Ignore;
  jpeg_create_decompress(&impl_->decoder);
  impl_->decoder.client_data = &impl_->jump;
}

JpegFloor::~JpegFloor() {
  jpeg_destroy_decompress(&impl_->decoder);
  delete impl_;
}

void JpegFloor::DecodeBox(std::span<const uint8_t> data, PixelBox box) {
  jpeg_decompress_struct& decoder = impl_->decoder;
  // Nothing with a destructor lives between here and the end: libjpeg leaves by longjmp.
  if (setjmp(impl_->jump) != 0) {
    jpeg_abort_decompress(&decoder);
    throw Error(ErrorCode::kCorruptData, "libjpeg-turbo cannot decode this image");
  }
  jpeg_mem_src(&decoder, data.data(), data.size());
  jpeg_read_header(&decoder, TRUE);
  decoder.out_color_space = JCS_RGB;
  decoder.dct_method = JDCT_ISLOW;
  decoder.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&decoder);
  const int width = static_cast<int>(decoder.output_width), height = static_cast<int>(decoder.output_height);
  const int left = std::clamp(box.left, 0, width - 1), top = std::clamp(box.top, 0, height - 1);
  const int bottom = std::clamp(box.top + box.height, top + 1, height);
  JDIMENSION x = static_cast<JDIMENSION>(left);
  JDIMENSION columns = static_cast<JDIMENSION>(std::clamp(box.width, 1, width - left));
  jpeg_crop_scanline(&decoder, &x, &columns);
  impl_->row.resize(size_t{columns} * 3);
  if (top > 0) jpeg_skip_scanlines(&decoder, static_cast<JDIMENSION>(top));
  JSAMPROW row = impl_->row.data();
  while (decoder.output_scanline < static_cast<JDIMENSION>(bottom)) jpeg_read_scanlines(&decoder, &row, 1);
  jpeg_abort_decompress(&decoder);
}

}  // namespace bucketline
