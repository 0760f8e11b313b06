// The first frame of a GIF by giflib.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gif_lib.h>

#include "bucketline/image/byte_reading.h"
#include "bucketline/image/colour.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/gif_header.h"

namespace bucketline {
namespace {

ImageInfo Probe(std::span<const uint8_t> data) {
  const GifHeader header = ReadGifHeader(data);
  ImageInfo info{ImageFormat::kGif};
  info.width = header.width;
  info.height = header.height;
  info.channels = 3;
  info.buffered = header.interlaced;
  return info;
}

struct CloseGif {
  void operator()(GifFileType* file) const { DGifCloseFile(file, nullptr); }
};

// Around a frame that does not fill the screen: Pillow shows the transparent colour, or colour 0, TensorFlow
// black. An interlaced frame is held whole, one byte a pixel; others come row by row.
class GifReader final : public PixelReader {
 public:
  ImageInfo Open(std::span<const uint8_t> data) override {
    rest_ = data;
    header_ = ReadGifHeader(data);
    truncated_ = ran_out_ = false;
    int code = 0;
    file_.reset(DGifOpen(this, Read, &code));
    if (!file_) Fail(code);
    FindFrame();
    return Probe(data);
  }

  void Start(const PixelWindow& window, const ImageSpec& spec) override {
    window_ = window;
    next_ = window.top;
    keep_ = spec.truncated == Truncated::kKeep;
    to_grey_ = spec.channels == 1;
    FillPalette();
    background_ = spec.family == ResizeFamily::kPillow
                      ? palette_[static_cast<size_t>(std::max(header_.transparent, 0))]
                      : Colour{};
    indices_.resize(static_cast<size_t>(header_.frame_width) *
                    static_cast<size_t>(header_.interlaced ? header_.frame_height : 1));
    row_.resize(static_cast<size_t>(window.right - window.left) * 3 + kRowSlack);
    if (header_.interlaced) {
      ReadInterlaced();
    } else {
      for (int y = header_.frame_top; y < window.top && InFrame(y); ++y) ReadLine(indices_.data());
    }
  }

  const uint8_t* NextRow() override {
    const int y = next_++;
    const uint8_t* line = nullptr;
    if (InFrame(y)) {
      if (!header_.interlaced) ReadLine(indices_.data());
      line = indices_.data() + (header_.interlaced ? LineOffset(y - header_.frame_top) : 0);
    }
    uint8_t* out = row_.data();
    for (int x = window_.left; x < window_.right; ++x, out += 3) {
      const int column = x - header_.frame_left;
      const bool inside = line != nullptr && column >= 0 && column < header_.frame_width;
      const Colour& colour = inside ? palette_[line[column]] : background_;
      std::memcpy(out, colour.data(), 3);
    }
    const int columns = window_.right - window_.left;
    if (to_grey_) RgbToGrey(row_.data(), columns, row_.data());
    return row_.data();
  }

  bool truncated() const override { return truncated_; }

  void Close() override {
    file_.reset();
    GiveBack(&indices_);
    GiveBack(&row_);
  }

 private:
  using Colour = std::array<uint8_t, 3>;

  static int Read(GifFileType* file, GifByteType* out, int bytes) {
    auto& self = *static_cast<GifReader*>(file->UserData);
    const size_t count = std::min(self.rest_.size(), static_cast<size_t>(bytes));
    if (count < static_cast<size_t>(bytes)) self.ran_out_ = true;
    if (count > 0) std::memcpy(out, self.rest_.data(), count);
    self.rest_ = self.rest_.subspan(count);
    return static_cast<int>(count);
  }

  [[noreturn]] void Fail(int code) {
    if (ran_out_) FailCorrupt("truncated GIF: the data ends before the image does");
    const char* text = GifErrorString(code);
    FailCorrupt(std::string("corrupt GIF: ") + (text != nullptr ? text : "unknown error"));
  }

  void Check(int status) {
    if (status != GIF_OK) Fail(file_->Error);
  }

  void FindFrame() {
    for (;;) {
      GifRecordType record = UNDEFINED_RECORD_TYPE;
      Check(DGifGetRecordType(file_.get(), &record));
      if (record == IMAGE_DESC_RECORD_TYPE) break;
      if (record != EXTENSION_RECORD_TYPE) FailCorrupt("corrupt GIF: it ends before any image");
      int label = 0;
      GifByteType* block = nullptr;
      Check(DGifGetExtension(file_.get(), &label, &block));
      while (block != nullptr) Check(DGifGetExtensionNext(file_.get(), &block));
    }
    Check(DGifGetImageDesc(file_.get()));
    const GifImageDesc& image = file_->Image;
    if (image.Width != header_.frame_width || image.Height != header_.frame_height) {
      FailCorrupt("corrupt GIF: its blocks are out of order");
    }
  }

  // Without a colour table: a grey ramp. Colours that a table lacks are black.
  void FillPalette() {
    const ColorMapObject* map = file_->Image.ColorMap != nullptr ? file_->Image.ColorMap : file_->SColorMap;
    for (size_t i = 0; i < palette_.size(); ++i) {
      if (map == nullptr) {
        palette_[i].fill(static_cast<uint8_t>(i));
      } else if (i < static_cast<size_t>(map->ColorCount)) {
        palette_[i] = {map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue};
      } else {
        palette_[i] = {};
      }
    }
  }

  bool InFrame(int y) const { return y >= header_.frame_top && y < header_.frame_top + header_.frame_height; }

  size_t LineOffset(int line) const {
    return static_cast<size_t>(line) * static_cast<size_t>(header_.frame_width);
  }

  void ReadLine(GifPixelType* line) {
    if (!truncated_ && DGifGetLine(file_.get(), line, header_.frame_width) != GIF_OK) {
      if (!ran_out_ || !keep_) Fail(file_->Error);
      truncated_ = true;
    }
    if (truncated_) std::memset(line, 0, static_cast<size_t>(header_.frame_width));
  }

  // Every 8th line from 0, every 8th from 4, every 4th from 2, every 2nd from 1.
  void ReadInterlaced() {
    constexpr std::array<std::pair<int, int>, 4> kPasses = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
    for (const auto& [first, step] : kPasses) {
      for (int line = first; line < header_.frame_height; line += step) {
        ReadLine(indices_.data() + LineOffset(line));
      }
    }
  }

  std::unique_ptr<GifFileType, CloseGif> file_;
  std::span<const uint8_t> rest_;
  GifHeader header_;
  PixelWindow window_;
  std::array<Colour, 256> palette_{};
  Colour background_{};
  std::vector<uint8_t> indices_;
  std::vector<uint8_t> row_;
  int next_ = 0;
  bool ran_out_ = false;
  bool keep_ = false;
  bool truncated_ = false;
  bool to_grey_ = false;
};

size_t ScratchBytes(const ImageInfo& info) {
  const auto width = static_cast<size_t>(info.width);
  const size_t indices = info.buffered ? width * static_cast<size_t>(info.height) : width;
  constexpr size_t kFixed = 64 << 10;  // giflib's dictionary and palettes
  return kFixed + indices + width * 3 + 2 * kRowSlack;
}

bool Matches(std::span<const uint8_t> data) {
  return AsText(data).starts_with("GIF87a") || AsText(data).starts_with("GIF89a");
}

std::unique_ptr<PixelReader> Make() { return std::make_unique<GifReader>(); }

}  // namespace

constinit const FormatEntry kGifFormat = {ImageFormat::kGif, Matches, Probe, ScratchBytes, Make};

}  // namespace bucketline
