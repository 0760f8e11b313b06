// jpeg_tool FOLDER: writes a JPEG of every kind that Pillow's own encoder does not make: the twelve samplings of luma
// against chroma, plain and progressive, CMYK and YCCK with Adobe's marker, arithmetic coding, restarts.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "bucketline/image/test_images.h"

namespace bucketline::testing {
namespace {

void Write(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

void WriteAll(const std::filesystem::path& folder) {
  constexpr int kSamplings[12][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {1, 4},
                                     {4, 2}, {2, 4}, {3, 1}, {1, 3}, {3, 2}, {2, 3}};
  for (const auto& [h, v] : kSamplings) {
    for (const bool progressive : {false, true}) {
      const std::string name = "sampling-" + std::to_string(h) + "x" + std::to_string(v);
      Write(
          folder / (name + (progressive ? "-progressive.jpg" : ".jpg")),
          EncodeJpeg(MakePicture(157, 111), {.h_sampling = h, .v_sampling = v, .progressive = progressive}));
    }
  }
  const Picture inks = MakePicture(90, 70, 4);
  Write(folder / "cmyk.jpg", EncodeJpeg(inks));
  Write(folder / "cmyk-progressive.jpg", EncodeJpeg(inks, {.progressive = true}));
  Write(folder / "ycck.jpg", EncodeJpeg(inks, {.ycck = true}));
  Write(folder / "ycck-2x2.jpg", EncodeJpeg(inks, {.h_sampling = 2, .v_sampling = 2, .ycck = true}));
  Write(folder / "rgb-adobe.jpg", EncodeJpeg(MakePicture(90, 70), {.adobe_rgb = true}));
  Write(folder / "arithmetic.jpg", EncodeJpeg(MakePicture(90, 70), {.arithmetic = true}));
  Write(folder / "restart.jpg",
        EncodeJpeg(MakePicture(90, 70), {.h_sampling = 2, .v_sampling = 2, .restart_blocks = 2}));
}

}  // namespace
}  // namespace bucketline::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: jpeg_tool FOLDER" << std::endl;
    return 2;
  }
  try {
    bucketline::testing::WriteAll(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
