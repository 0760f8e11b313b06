// image_tool: what the image module makes of a file, as raw bytes, for comparison with other libraries.
//
//   image_tool PATH [flag=value ...]   the row goes to standard output, one line of geometry to standard error
//   image_tool --batch                 reads "PATH OUT [flag=value ...]" lines (tab-separated) from standard
//                                      input; the row goes to OUT, geometry or "error CODE message" to standard
//                                      output
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/image/colour_jitter.h"
#include "bucketline/image/decoder.h"

namespace bucketline {
namespace {

struct Request {
  ImageSpec spec;
  uint64_t position = 0;
};

Error BadFlag(const std::string& flag) { return Error(ErrorCode::kInvalidArgument, "bad flag " + flag); }

template <size_t N, typename T>
void ParseList(const std::string& text, std::array<T, N>* out) {
  std::istringstream stream(text);
  std::string part;
  for (T& value : *out) {
    if (!std::getline(stream, part, ',')) throw BadFlag(text);
    value = static_cast<T>(std::stod(part));
  }
}

template <typename T>
T Choose(const std::string& text, const std::map<std::string, T>& choices) {
  const auto found = choices.find(text);
  if (found == choices.end()) throw BadFlag(text);
  return found->second;
}

void SetFlag(const std::string& flag, Request* request) {
  using Setter = std::function<void(const std::string&, Request*)>;
  static const std::map<std::string, Setter> setters = {
      {"height", [](const auto& v, Request* r) { r->spec.height = std::stoi(v); }},
      {"width", [](const auto& v, Request* r) { r->spec.width = std::stoi(v); }},
      {"crop",
       [](const auto& v, Request* r) {
         r->spec.crop = Choose<Crop>(v, {{"none", Crop::kNone},
                                         {"center", Crop::kCenter},
                                         {"random_resized", Crop::kRandomResized},
                                         {"pad", Crop::kPad},
                                         {"box", Crop::kBox}});
       }},
      {"box",
       [](const auto& v, Request* r) {
         std::array<int, 4> box{};
         ParseList(v, &box);
         r->spec.box = {box[0], box[1], box[2], box[3]};
       }},
      {"jitter",
       [](const auto& v, Request* r) {
         std::array<double, 3> jitter{};
         ParseList(v, &jitter);
         r->spec.jitter = {jitter[0], jitter[1], jitter[2]};
       }},
      {"orient", [](const auto& v, Request* r) { r->spec.orient = v == "1"; }},
      {"dct_scaling", [](const auto& v, Request* r) { r->spec.dct_scaling = v == "1"; }},
      {"truncated",
       [](const auto& v, Request* r) {
         r->spec.truncated = Choose<Truncated>(v, {{"raise", Truncated::kRaise}, {"keep", Truncated::kKeep}});
       }},
      {"resize",
       [](const auto& v, Request* r) {
         r->spec.resize = Choose<Resize>(v, {{"bilinear", Resize::kBilinear},
                                             {"bicubic", Resize::kBicubic},
                                             {"lanczos", Resize::kLanczos},
                                             {"area", Resize::kArea},
                                             {"nearest", Resize::kNearest}});
       }},
      {"short", [](const auto& v, Request* r) { r->spec.short_side = std::stoi(v); }},
      {"area", [](const auto& v, Request* r) { ParseList(v, &r->spec.area); }},
      {"ratio", [](const auto& v, Request* r) { ParseList(v, &r->spec.ratio); }},
      {"flip", [](const auto& v, Request* r) { r->spec.flip = std::stod(v); }},
      {"antialias", [](const auto& v, Request* r) { r->spec.antialias = v == "1"; }},
      {"family",
       [](const auto& v, Request* r) {
         r->spec.family = Choose<ResizeFamily>(
             v, {{"pillow", ResizeFamily::kPillow}, {"tensorflow", ResizeFamily::kTensorflow}});
       }},
      {"channels", [](const auto& v, Request* r) { r->spec.channels = std::stoi(v); }},
      {"dtype",
       [](const auto& v, Request* r) {
         r->spec.type = Choose<PixelType>(v, {{"uint8", PixelType::kUint8},
                                              {"float16", PixelType::kFloat16},
                                              {"float32", PixelType::kFloat32}});
       }},
      {"layout",
       [](const auto& v, Request* r) {
         r->spec.layout =
             Choose<PixelLayout>(v, {{"nhwc", PixelLayout::kNhwc}, {"nchw", PixelLayout::kNchw}});
       }},
      {"scale", [](const auto& v, Request* r) { r->spec.scale = std::stof(v); }},
      {"mean", [](const auto& v, Request* r) { ParseList(v, &r->spec.mean); }},
      {"std", [](const auto& v, Request* r) { ParseList(v, &r->spec.std); }},
      {"position", [](const auto& v, Request* r) { r->position = std::stoull(v); }},
  };
  const size_t equals = flag.find('=');
  const auto found = setters.find(flag.substr(0, equals));
  if (equals == std::string::npos || found == setters.end()) throw BadFlag(flag);
  found->second(flag.substr(equals + 1), request);
}

std::vector<uint8_t> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::kIo, "cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Fills `row` and returns the line of geometry.
std::string Decode(ImageDecoder& decoder, const std::string& path, const Request& request,
                   std::vector<uint8_t>* row) {
  const std::vector<uint8_t> data = ReadFile(path);
  const ImageInfo info = ProbeImage(data);
  ImageSpec sized = request.spec;
  if (sized.height == 0) {
    const ImageSize size = OwnSize(info, request.spec);
    sized.height = size.height;
    sized.width = size.width;
  }
  row->assign(sized.RowBytes(), 0);
  const ImageGeometry g = decoder.DecodeInto(data, request.spec, CounterRng(0, 0, request.position), *row);
  std::ostringstream line;
  line.precision(17);
  line << "ok " << g.source_width << ' ' << g.source_height << ' ' << g.box_left << ' ' << g.box_top << ' '
       << g.box_width << ' ' << g.box_height << ' ' << g.flipped << ' ' << info.channels << ' '
       << info.buffered << ' ' << info.orientation << ' ' << g.truncated;
  const ColourJitter jitter(request.spec, CounterRng(0, 0, request.position));
  for (const ColourJitter::Step step : jitter.order()) line << ' ' << static_cast<int>(step);
  line << ' ' << jitter.brightness() << ' ' << jitter.contrast() << ' ' << jitter.saturation();
  return line.str();
}

int RunBatch() {
  ImageDecoder decoder;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream stream(line);
    std::string path, out, flag;
    std::getline(stream, path, '\t');
    std::getline(stream, out, '\t');
    try {
      Request request;
      while (std::getline(stream, flag, '\t')) SetFlag(flag, &request);
      std::vector<uint8_t> row;
      const std::string geometry = Decode(decoder, path, request, &row);
      std::ofstream file(out, std::ios::binary);
      file.write(reinterpret_cast<const char*>(row.data()), static_cast<std::streamsize>(row.size()));
      if (!file.flush()) throw Error(ErrorCode::kIo, "cannot write " + out);
      std::cout << geometry << std::endl;
    } catch (const Error& error) {
      std::cout << "error " << ErrorCodeName(error.code()) << ' ' << error.message() << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error Internal " << error.what() << std::endl;
    }
  }
  return 0;
}

int RunOne(int argc, char** argv) {
  Request request;
  for (int i = 2; i < argc; ++i) SetFlag(argv[i], &request);
  ImageDecoder decoder;
  std::vector<uint8_t> row;
  const std::string geometry = Decode(decoder, argv[1], request, &row);
  std::fwrite(row.data(), 1, row.size(), stdout);
  std::cerr << geometry << std::endl;
  return 0;
}

}  // namespace
}  // namespace bucketline

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: image_tool PATH [flag=value ...] | image_tool --batch" << std::endl;
    return 2;
  }
  try {
    return std::string(argv[1]) == "--batch" ? bucketline::RunBatch() : bucketline::RunOne(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
