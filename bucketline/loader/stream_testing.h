// For tests only: streams of small images, and the same images as a bucket.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bucketline/dataset/pipe_testing.h"
#include "bucketline/dataset/stream.h"
#include "bucketline/loader/loader_testing.h"
#include "bucketline/loader/stream_loader.h"

namespace bucketline::testing {

inline std::string JpegText(uint64_t seed, int width = kWidth, int height = kHeight) {
  const std::vector<uint8_t> jpeg = EncodeJpeg(MakePicture(width, height, 3, seed));
  return {jpeg.begin(), jpeg.end()};
}

// The bytes of one epoch: image after image.
inline std::string Images(uint64_t count, uint64_t first = 0) {
  std::string bytes;
  for (uint64_t i = 0; i < count; ++i) bytes += Framed(JpegText(first + i));
  return bytes;
}

// The same, each with its label: its number modulo 3.
inline std::string LabelledImages(uint64_t count) {
  std::string bytes;
  for (uint64_t i = 0; i < count; ++i) bytes += Framed(JpegText(i)) + Framed(std::to_string(i % 3));
  return bytes;
}

// A job whose channel "train" is a Pipe, and a Runtime.
class StreamJob {
 public:
  explicit StreamJob(RuntimeOptions options = Quiet()) : runtime_(std::move(options)) {}

  Runtime& runtime() { return runtime_; }
  JobFolder& job() { return job_; }
  ChannelPlace place() const { return job_.Train(); }
  Stream Open(StreamOptions options = {}) { return Stream(runtime_, place(), std::move(options)); }
  StreamLoader Load(LoaderOptions loader = SmallOptions(), StreamOptions options = {}) {
    return StreamLoader(Open(std::move(options)), std::move(loader));
  }

 private:
  JobFolder job_;
  Runtime runtime_;
};

inline std::vector<Given> RestOfEpoch(StreamLoader& loader) {
  std::vector<Given> batches;
  while (std::optional<Batch> batch = loader.Next()) batches.push_back(Copy(*batch));
  return batches;
}

// The numbers of the samples, batch after batch.
inline std::vector<std::vector<uint64_t>> Numbers(const std::vector<Given>& batches) {
  std::vector<std::vector<uint64_t>> numbers;
  for (const Given& batch : batches) numbers.push_back(batch.indices);
  return numbers;
}

}  // namespace bucketline::testing
