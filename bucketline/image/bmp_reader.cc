// The rows of an uncompressed BMP of 8, 24 or 32 bits a pixel. Own code: it is one loop over bytes in memory.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "bucketline/image/byte_reading.h"
#include "bucketline/image/colour.h"
#include "bucketline/image/formats.h"

namespace bucketline {
namespace {

constexpr size_t kFileHeader = 14;
constexpr size_t kInfoHeader = 40;  // of Windows; later versions only add to it
constexpr uint32_t kUncompressed = 0;
constexpr uint32_t kBitFields = 3;

struct Header {
  int width = 0;
  int height = 0;
  bool top_down = false;
  int bits = 0;
  size_t pixels = 0;  // offset of the first row
  size_t stride = 0;
  size_t palette = 0;  // offset
  size_t colours = 0;  // in it
};

// Of 32 bits only blue, green, red, unused has a name of its own; other masks are as good as another format.
bool UsualMasks(std::span<const uint8_t> data) {
  constexpr size_t kMasks = kFileHeader + kInfoHeader;
  return data.size() >= kMasks + 12 && LittleEndian(data, kMasks, 4) == 0xff0000 &&
         LittleEndian(data, kMasks + 4, 4) == 0xff00 && LittleEndian(data, kMasks + 8, 4) == 0xff;
}

// Windows's BITMAPFILEHEADER and BITMAPINFOHEADER.
Header ReadHeader(std::span<const uint8_t> data) {
  if (data.size() < kFileHeader + kInfoHeader) FailCorrupt("truncated BMP: the header is incomplete");
  const uint32_t info_size = LittleEndian(data, 14, 4);
  if (info_size < kInfoHeader) {
    FailCorrupt("unsupported BMP: a header of " + std::to_string(info_size) + " bytes (OS/2)");
  }
  Header header;
  const auto width = static_cast<int32_t>(LittleEndian(data, 18, 4));
  const auto height = static_cast<int32_t>(LittleEndian(data, 22, 4));
  if (width <= 0 || height == 0 || height == INT32_MIN) {
    FailCorrupt("corrupt BMP: bad width or height in the header");
  }
  header.width = width;
  header.top_down = height < 0;
  header.height = std::abs(height);
  header.bits = static_cast<int>(LittleEndian(data, 28, 2));
  const uint32_t compression = LittleEndian(data, 30, 4);
  if (header.bits != 8 && header.bits != 24 && header.bits != 32) {
    FailCorrupt("unsupported BMP: " + std::to_string(header.bits) + " bits a pixel, not 8, 24 or 32");
  }
  if (compression != kUncompressed && !(compression == kBitFields && header.bits == 32 && UsualMasks(data))) {
    FailCorrupt("unsupported BMP: compression " + std::to_string(compression));
  }
  header.pixels = LittleEndian(data, 10, 4);
  header.stride = (static_cast<size_t>(width) * static_cast<size_t>(header.bits) + 31) / 32 * 4;
  if (header.bits == 8) {
    const size_t colours = LittleEndian(data, 46, 4);
    header.colours = colours == 0 ? 256 : std::min<size_t>(colours, 256);
    header.palette = kFileHeader + info_size;
    if (header.palette > data.size() || data.size() - header.palette < header.colours * 4) {
      FailCorrupt("truncated BMP: the palette is incomplete");
    }
  }
  return header;
}

ImageInfo Probe(std::span<const uint8_t> data) {
  const Header header = ReadHeader(data);
  ImageInfo info{ImageFormat::kBmp};
  info.width = header.width;
  info.height = header.height;
  info.channels = header.bits == 32 ? 4 : 3;
  return info;
}

class BmpReader final : public PixelReader {
 public:
  ImageInfo Open(std::span<const uint8_t> data) override {
    header_ = ReadHeader(data);
    data_ = data;
    truncated_ = false;
    return Probe(data);
  }

  void Start(const PixelWindow& window, const ImageSpec& spec) override {
    window_ = window;
    next_ = window.top;
    to_grey_ = spec.channels == 1;
    const size_t end = header_.pixels + header_.stride * static_cast<size_t>(header_.height);
    if (end > data_.size()) {
      if (spec.truncated == Truncated::kRaise) {
        FailCorrupt("truncated BMP: the data ends before the image does");
      }
      truncated_ = true;
    }
    row_.resize(static_cast<size_t>(window.right - window.left) * 3 + kRowSlack);
  }

  const uint8_t* NextRow() override {
    const int line = header_.top_down ? next_ : header_.height - 1 - next_;
    ++next_;
    const size_t begin = header_.pixels + header_.stride * static_cast<size_t>(line);
    const int columns = window_.right - window_.left;
    if (begin > data_.size() || data_.size() - begin < header_.stride) {
      std::fill(row_.begin(), row_.end(), uint8_t{0});
    } else {
      Convert(data_.data() + begin, columns);
    }
    if (to_grey_) RgbToGrey(row_.data(), columns, row_.data());
    return row_.data();
  }

  bool truncated() const override { return truncated_; }
  void Close() override { GiveBack(&row_); }

 private:
  void Convert(const uint8_t* line, int columns) {
    uint8_t* out = row_.data();
    const auto bytes = static_cast<size_t>(header_.bits / 8);
    const uint8_t* pixel = line + static_cast<size_t>(window_.left) * bytes;
    for (int i = 0; i < columns; ++i, pixel += bytes, out += 3) {
      const uint8_t* bgr = pixel;
      if (header_.bits == 8)
        bgr = *pixel < header_.colours ? data_.data() + header_.palette + size_t{4} * *pixel : kBlack;
      out[0] = bgr[2];
      out[1] = bgr[1];
      out[2] = bgr[0];
    }
  }

  static constexpr uint8_t kBlack[3] = {0, 0, 0};
  std::span<const uint8_t> data_;
  Header header_;
  PixelWindow window_;
  std::vector<uint8_t> row_;
  int next_ = 0;
  bool to_grey_ = false;
  bool truncated_ = false;
};

size_t ScratchBytes(const ImageInfo& info) {
  return static_cast<size_t>(info.width) * 3 + 2 * kRowSlack + 1024;
}

bool Matches(std::span<const uint8_t> data) { return AsText(data).starts_with("BM"); }

std::unique_ptr<PixelReader> Make() { return std::make_unique<BmpReader>(); }

}  // namespace

constinit const FormatEntry kBmpFormat = {ImageFormat::kBmp, Matches, Probe, ScratchBytes, Make};

}  // namespace bucketline
