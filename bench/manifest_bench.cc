// manifest_bench make FILE N    writes a manifest of N records: 60-character keys with 16 random hex digits, random ETags
//                               and sizes
// manifest_bench open FILE      maps it, reads every record once, and prints what a record costs, as JSON
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/random.h"
#include "bucketline/inspect/proc_file.h"
#include "bucketline/records/manifest.h"

namespace {

using namespace bucketline;

void Make(const std::string& path, uint64_t records) {
  ManifestBuilder builder("s3://bench/training-images/");
  for (uint64_t i = 0; i < records; ++i) {
    CounterRng random(1, 0, i);
    const auto draw = [&] { return random.NextU64(); };
    Record record;
    record.key = fmt::format("training-images/class-{:04}/{:016x}-{:011}.jpeg", draw() % 1000, draw(), i);
    RecordPart part;
    part.object_key = record.key;
    part.etag = fmt::format("\"{:016x}{:016x}\"", draw(), draw());
    part.length = part.object_size = 20'000 + draw() % 400'000;
    record.parts.push_back(std::move(part));
    builder.Add(std::move(record));
  }
  const Bytes bytes = std::move(builder).Build().ToBytes();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

// Memory of the process that is its own, not the file's pages.
uint64_t AnonymousBytes() { return ProcBytes(ReadProcFile("/proc/self/status"), "RssAnon:"); }

Bytes Map(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (file < 0 || fstat(file, &status) != 0) throw std::runtime_error("cannot open " + path);
  const auto size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (data == MAP_FAILED) throw std::runtime_error("cannot map " + path);
  std::shared_ptr<void> owner(data, [size](void* mapped) { munmap(mapped, size); });
  return Bytes(std::move(owner), static_cast<const uint8_t*>(data), size);
}

void Open(const std::string& path) {
  const uint64_t before = AnonymousBytes();
  const Bytes bytes = Map(path);
  const auto start = std::chrono::steady_clock::now();
  const Manifest manifest = Manifest::FromBytes(bytes);
  const std::string first = manifest.Key(0);
  const std::chrono::duration<double> opened = std::chrono::steady_clock::now() - start;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < manifest.size(); ++i) sum += manifest.RecordBytes(i);
  if (sum != manifest.total_bytes()) throw std::runtime_error("the records do not add up");
  const double count = static_cast<double>(manifest.size());
  const double own = static_cast<double>(AnonymousBytes() - before);
  fmt::print(
      "{{\"records\": {}, \"key_bytes\": {}, \"file_bytes_per_record\": {:.2f}, \"memory_bytes_per_record\": "
      "{:.2f}, "
      "\"open_seconds\": {:.4f}}}\n",
      manifest.size(), first.size(), static_cast<double>(bytes.size()) / count,
      (static_cast<double>(bytes.size()) + own) / count, opened.count());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::strcmp(argv[1], "make") == 0) {
      Make(argv[2], std::strtoull(argv[3], nullptr, 10));
    } else if (argc == 3 && std::strcmp(argv[1], "open") == 0) {
      Open(argv[2]);
    } else {
      std::fprintf(stderr, "usage: manifest_bench make FILE N | open FILE\n");
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "manifest_bench: %s\n", error.what());
    return 1;
  }
}
