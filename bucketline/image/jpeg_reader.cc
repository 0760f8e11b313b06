// The rows of a JPEG by libjpeg-turbo, crop-aware.
#include <algorithm>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/image/colour.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/jpeg_header.h"
#include "bucketline/image/jpeg_session.h"

namespace bucketline {
namespace {

// "Fancy" chroma upsampling looks at its neighbours; at the edge of a cropped decode they are missing. Two
// pixels more on each side make the window's pixels those of the full decode.
constexpr int kMargin = 2;

// Grey is replicated, CMYK and YCCK are converted. The inverse DCT runs only in the window's columns and
// rows, and entropy decoding stops at the window's last row: damage behind it goes unnoticed. The pixels
// equal those of a full decode.
class JpegReader final : public PixelReader {
 public:
  ImageInfo Open(std::span<const uint8_t> data) override;
  void SetScale(int denominator) override { denominator_ = denominator; }
  void Start(const PixelWindow& window, const ImageSpec& spec) override;
  const uint8_t* NextRow() override;
  bool truncated() const override { return session_.truncated(); }
  void Close() override;

 private:
  void ChooseColours(const ImageSpec& spec);
  void CropColumns(const PixelWindow& window);
  void SkipRows(int count);
  void ReadRow();

  JpegSession session_;
  std::vector<uint8_t> row_;
  size_t offset_ = 0;  // in the row, of the window's first pixel
  int columns_ = 0;    // of the window
  int denominator_ = 1;
  bool from_cmyk_ = false;
  bool to_grey_ = false;
  bool inverted_ = false;
  bool tensorflow_ = false;
};

ImageInfo JpegReader::Open(std::span<const uint8_t> data) {
  denominator_ = 1;
  session_.SetSource(data);
  jpeg_decompress_struct& cinfo = session_.cinfo();
  session_.Run([&cinfo] { jpeg_read_header(&cinfo, TRUE); });
  ImageInfo info{ImageFormat::kJpeg};
  info.width = static_cast<int>(cinfo.image_width);
  info.height = static_cast<int>(cinfo.image_height);
  info.channels = cinfo.num_components;
  info.buffered = jpeg_has_multiple_scans(&cinfo) != 0;
  if (info.channels != 1 && info.channels != 3 && info.channels != 4) {
    throw Error(ErrorCode::kCorruptData,
                "corrupt or unsupported JPEG: " + std::to_string(info.channels) + " colour components");
  }
  return info;
}

void JpegReader::ChooseColours(const ImageSpec& spec) {
  jpeg_decompress_struct& cinfo = session_.cinfo();
  tensorflow_ = spec.family == ResizeFamily::kTensorflow;
  from_cmyk_ = cinfo.jpeg_color_space == JCS_CMYK || cinfo.jpeg_color_space == JCS_YCCK;
  inverted_ = cinfo.saw_Adobe_marker != 0;
  // TensorFlow asks libjpeg for its luma plane; Pillow converts from RGB.
  const bool luma = spec.channels == 1 && (tensorflow_ || cinfo.jpeg_color_space == JCS_GRAYSCALE);
  to_grey_ = spec.channels == 1 && (from_cmyk_ || !luma);
  cinfo.out_color_space = from_cmyk_ ? JCS_CMYK : luma ? JCS_GRAYSCALE : JCS_RGB;
  cinfo.dct_method = tensorflow_ ? JDCT_IFAST : JDCT_ISLOW;
  cinfo.do_fancy_upsampling = TRUE;
  cinfo.scale_num = 1;
  cinfo.scale_denom = static_cast<unsigned>(denominator_);
}

void JpegReader::Start(const PixelWindow& window, const ImageSpec& spec) {
  if (spec.truncated == Truncated::kKeep) session_.KeepTruncated();
  ChooseColours(spec);
  jpeg_decompress_struct& cinfo = session_.cinfo();
  session_.Run([&cinfo] { jpeg_start_decompress(&cinfo); });
  // Of several scans the last ones only sharpen the image, so nobody misses them unless we do.
  if (session_.ran_out() && (jpeg_has_multiple_scans(&cinfo) != 0 || cinfo.arith_code != 0)) {
    session_.NoteTruncated();
  }
  CropColumns(window);
  SkipRows(window.top);
}

void JpegReader::CropColumns(const PixelWindow& window) {
  jpeg_decompress_struct& cinfo = session_.cinfo();
  const int full = static_cast<int>(cinfo.output_width);
  const int left = std::max(window.left - kMargin, 0);
  const int right = std::min(window.right + kMargin, full);
  auto first = static_cast<JDIMENSION>(left);
  auto width = static_cast<JDIMENSION>(right - left);
  if (right - left < full) {
    // Moves `first` down to a block's edge and widens `width` by as much.
    session_.Run([&] { jpeg_crop_scanline(&cinfo, &first, &width); });
  }
  const auto components = static_cast<size_t>(cinfo.output_components);
  columns_ = window.right - window.left;
  offset_ = (static_cast<size_t>(window.left) - first) * components;
  row_.resize(static_cast<size_t>(cinfo.output_width) * components + kRowSlack);
}

void JpegReader::SkipRows(int count) {
  jpeg_decompress_struct& cinfo = session_.cinfo();
  const int skipped = std::max(count - kMargin, 0);
  if (skipped > 0) {
    session_.Run([&] { jpeg_skip_scanlines(&cinfo, static_cast<JDIMENSION>(skipped)); });
  }
  for (int row = skipped; row < count; ++row) ReadRow();
}

void JpegReader::ReadRow() {
  jpeg_decompress_struct& cinfo = session_.cinfo();
  JSAMPROW row = row_.data();
  session_.Run([&] { jpeg_read_scanlines(&cinfo, &row, 1); });
  if (session_.ran_out() && cinfo.arith_code != 0) session_.NoteTruncated();
}

const uint8_t* JpegReader::NextRow() {
  ReadRow();
  uint8_t* pixels = row_.data() + offset_;
  if (from_cmyk_) {
    const CmykRule rule = !tensorflow_ ? CmykRule::kPillow
                          : inverted_  ? CmykRule::kTensorflowInverted
                                       : CmykRule::kTensorflow;
    CmykToRgb(pixels, columns_, rule, pixels);
  }
  if (to_grey_) RgbToGrey(pixels, columns_, pixels);
  return pixels;
}

void JpegReader::Close() {
  session_.SetSource({});
  GiveBack(&row_);
}

size_t ScratchBytes(const ImageInfo& info) {
  // libjpeg rounds up to whole blocks of at most 32 x 32 pixels.
  const size_t width = (static_cast<size_t>(info.width) + 31) / 32 * 32;
  const size_t height = (static_cast<size_t>(info.height) + 31) / 32 * 32;
  const auto channels = static_cast<size_t>(info.channels);
  constexpr size_t kFixed = 128 << 10;  // tables, Huffman look-ups, pools
  // Rows of blocks between its stages, and the upsampled rows.
  const size_t rows = width * channels * 32 * 4;
  const size_t coefficients = info.buffered ? width * height * channels * sizeof(JCOEF) : 0;
  return kFixed + rows + coefficients + width * 4 + kRowSlack;
}

bool Matches(std::span<const uint8_t> data) {
  return data.size() >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff;
}

std::unique_ptr<PixelReader> Make() { return std::make_unique<JpegReader>(); }

}  // namespace

constinit const FormatEntry kJpegFormat = {ImageFormat::kJpeg, Matches, ProbeJpeg, ScratchBytes, Make};

}  // namespace bucketline
