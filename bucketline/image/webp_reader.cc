// A WebP by libwebp: of an animation the first frame.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <webp/decode.h>
#include <webp/demux.h>

#include "bucketline/image/byte_reading.h"
#include "bucketline/image/colour.h"
#include "bucketline/image/exif.h"
#include "bucketline/image/formats.h"

namespace bucketline {
namespace {

// Chroma upsampling looks at its neighbours, which a cropped decode lacks at its edges; and crops begin at even
// pixels.
constexpr int kMargin = 4;

struct Frame {
  int width = 0;  // of the canvas
  int height = 0;
  int left = 0;  // of the frame on it
  int top = 0;
  int frame_width = 0;
  int frame_height = 0;
  bool alpha = false;
  std::span<const uint8_t> data;  // the frame as a WebP file of its own
  int orientation = 1;
};

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

[[noreturn]] void FailTruncated() { FailCorrupt("truncated WebP: the data ends before the image does"); }

// The file says how long it is (RIFF): a shorter one is cut off.
void RequireWhole(std::span<const uint8_t> data) {
  if (data.size() < 12 || data.size() - 8 < LittleEndian(data, 4, 4)) FailTruncated();
}

Frame FirstFrame(std::span<const uint8_t> data) {
  RequireWhole(data);
  const WebPData file = {data.data(), data.size()};
  const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&file));
  if (!demuxer) FailCorrupt("corrupt WebP: its chunks make no sense");
  Frame frame;
  frame.width = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH));
  frame.height = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT));
  WebPIterator first{};
  if (WebPDemuxGetFrame(demuxer.get(), 1, &first) == 0) FailCorrupt("corrupt WebP: it has no image");
  frame.left = first.x_offset;
  frame.top = first.y_offset;
  frame.frame_width = first.width;
  frame.frame_height = first.height;
  frame.alpha = first.has_alpha != 0;
  // Points into `data`: the demuxer copies nothing.
  frame.data = data.subspan(static_cast<size_t>(first.fragment.bytes - data.data()), first.fragment.size);
  WebPDemuxReleaseIterator(&first);
  WebPChunkIterator exif{};
  if (WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &exif) != 0) {
    frame.orientation = ExifOrientation({exif.chunk.bytes, exif.chunk.size});
    WebPDemuxReleaseChunkIterator(&exif);
  }
  return frame;
}

ImageInfo InfoOf(const Frame& frame) {
  ImageInfo info{ImageFormat::kWebp};
  info.width = frame.width;
  info.height = frame.height;
  info.channels = frame.alpha ? 4 : 3;
  info.buffered = true;
  info.orientation = frame.orientation;
  return info;
}

ImageInfo Probe(std::span<const uint8_t> data) { return InfoOf(FirstFrame(data)); }

// Alpha is dropped. Around a frame that does not fill the canvas it is black.
class WebpReader final : public PixelReader {
 public:
  ImageInfo Open(std::span<const uint8_t> data) override {
    frame_ = FirstFrame(data);
    return InfoOf(frame_);
  }

  void Start(const PixelWindow& window, const ImageSpec& spec) override {
    window_ = window;
    next_ = window.top;
    to_grey_ = spec.channels == 1;
    row_.resize(static_cast<size_t>(window.right - window.left) * 3 + kRowSlack);
    // In pixels of the frame.
    left_ = std::clamp(window.left - frame_.left - kMargin, 0, frame_.frame_width) & ~1;
    top_ = std::clamp(window.top - frame_.top - kMargin, 0, frame_.frame_height) & ~1;
    columns_ = std::clamp(window.right - frame_.left + kMargin, 0, frame_.frame_width) - left_;
    rows_ = std::clamp(window.bottom - frame_.top + kMargin, 0, frame_.frame_height) - top_;
    if (columns_ > 0 && rows_ > 0) Decode();
  }

  const uint8_t* NextRow() override {
    const int columns = window_.right - window_.left;
    const int line = next_++ - frame_.top - top_;
    std::fill(row_.begin(), row_.end(), uint8_t{0});
    if (line >= 0 && line < rows_) {
      const int first = window_.left - frame_.left - left_;  // of the decoded row
      const int begin = std::clamp(first, 0, columns_);
      const int end = std::clamp(first + columns, begin, columns_);
      if (begin < end) {  // else the window lies beside the frame
        const uint8_t* from =
            pixels_.data() +
            (static_cast<size_t>(line) * static_cast<size_t>(columns_) + static_cast<size_t>(begin)) * 3;
        std::memcpy(row_.data() + static_cast<size_t>(begin - first) * 3, from,
                    static_cast<size_t>(end - begin) * 3);
      }
    }
    if (to_grey_) RgbToGrey(row_.data(), columns, row_.data());
    return row_.data();
  }

  void Close() override {
    GiveBack(&pixels_);
    GiveBack(&row_);
  }

 private:
  void Decode() {
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) {
      throw Error(ErrorCode::kInternal, "libwebp is not the version that this was compiled for");
    }
    const size_t stride = static_cast<size_t>(columns_) * 3;
    pixels_.resize(stride * static_cast<size_t>(rows_));
    config.options.use_cropping = 1;
    config.options.crop_left = left_;
    config.options.crop_top = top_;
    config.options.crop_width = columns_;
    config.options.crop_height = rows_;
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {pixels_.data(), static_cast<int>(stride), pixels_.size()};
    switch (WebPDecode(frame_.data.data(), frame_.data.size(), &config)) {
      case VP8_STATUS_OK:
        return;
      case VP8_STATUS_OUT_OF_MEMORY:
        throw std::bad_alloc();
      case VP8_STATUS_NOT_ENOUGH_DATA:
      case VP8_STATUS_SUSPENDED:
        FailTruncated();
      default:
        FailCorrupt("corrupt WebP: its pixels make no sense");
    }
  }

  Frame frame_;
  PixelWindow window_;
  std::vector<uint8_t> pixels_;
  std::vector<uint8_t> row_;
  int left_ = 0;
  int top_ = 0;
  int columns_ = 0;
  int rows_ = 0;
  int next_ = 0;
  bool to_grey_ = false;
};

size_t ScratchBytes(const ImageInfo& info) {
  const size_t pixels = static_cast<size_t>(info.width) * static_cast<size_t>(info.height);
  constexpr size_t kFixed = 1 << 20;  // Huffman tables, rows of blocks
  // A lossless image is decoded to 32 bits a pixel first, alpha is a plane of its own.
  return kFixed + pixels * (3 + 4 + 1) + static_cast<size_t>(info.width) * 128;
}

bool Matches(std::span<const uint8_t> data) {
  return AsText(data).starts_with("RIFF") &&
         AsText(data).substr(std::min<size_t>(8, data.size()), 4) == "WEBP";
}

std::unique_ptr<PixelReader> Make() { return std::make_unique<WebpReader>(); }

}  // namespace

constinit const FormatEntry kWebpFormat = {ImageFormat::kWebp, Matches, Probe, ScratchBytes, Make};

}  // namespace bucketline
