// Harnesses: what a fuzzer calls with hostile bytes. Each one ends or throws nothing: the errors that its
// parser may throw are caught, anything else is a find. They are linked into one libFuzzer program each
// (preset `asan`) and into the replay of stored inputs that every build runs.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace bucketline::fuzz {

using Harness = void (*)(std::span<const uint8_t> data);

void FuzzJpeg(std::span<const uint8_t> data);
void FuzzPng(std::span<const uint8_t> data);
void FuzzWebp(std::span<const uint8_t> data);
void FuzzGif(std::span<const uint8_t> data);
void FuzzBmp(std::span<const uint8_t> data);
void FuzzProbe(std::span<const uint8_t> data);
void FuzzDecoder(std::span<const uint8_t> data);
void FuzzS3Xml(std::span<const uint8_t> data);
void FuzzIni(std::span<const uint8_t> data);
void FuzzContentRange(std::span<const uint8_t> data);
void FuzzLabels(std::span<const uint8_t> data);
void FuzzLabelPattern(std::span<const uint8_t> data);
void FuzzBraces(std::span<const uint8_t> data);
void FuzzManifest(std::span<const uint8_t> data);
void FuzzSafetensors(std::span<const uint8_t> data);
void FuzzRunState(std::span<const uint8_t> data);
void FuzzServeRequest(std::span<const uint8_t> data);
void FuzzRecordIo(std::span<const uint8_t> data);
void FuzzChannelManifest(std::span<const uint8_t> data);
void FuzzGzip(std::span<const uint8_t> data);
void FuzzTar(std::span<const uint8_t> data);
void FuzzTfRecord(std::span<const uint8_t> data);
void FuzzExample(std::span<const uint8_t> data);
void FuzzRecordIoShard(std::span<const uint8_t> data);
void FuzzMds(std::span<const uint8_t> data);
void FuzzTfdsInfo(std::span<const uint8_t> data);
void FuzzParquet(std::span<const uint8_t> data);

struct NamedHarness {
  std::string_view name;  // of its folder in fuzz/corpus and tests/regressions
  Harness run;
};

inline constexpr std::array<NamedHarness, 27> kHarnesses = {{
    {"jpeg", FuzzJpeg},
    {"png", FuzzPng},
    {"webp", FuzzWebp},
    {"gif", FuzzGif},
    {"bmp", FuzzBmp},
    {"probe", FuzzProbe},
    {"decoder", FuzzDecoder},
    {"s3_xml", FuzzS3Xml},
    {"ini", FuzzIni},
    {"content_range", FuzzContentRange},
    {"labels", FuzzLabels},
    {"label_pattern", FuzzLabelPattern},
    {"braces", FuzzBraces},
    {"manifest", FuzzManifest},
    {"safetensors", FuzzSafetensors},
    {"run_state", FuzzRunState},
    {"serve_request", FuzzServeRequest},
    {"recordio", FuzzRecordIo},
    {"channel_manifest", FuzzChannelManifest},
    {"gzip", FuzzGzip},
    {"tar", FuzzTar},
    {"tfrecord", FuzzTfRecord},
    {"example", FuzzExample},
    {"recordio_shard", FuzzRecordIoShard},
    {"mds", FuzzMds},
    {"tfds_info", FuzzTfdsInfo},
    {"parquet", FuzzParquet},
}};

}  // namespace bucketline::fuzz
