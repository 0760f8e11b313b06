// manifest_bench make FILE N    writes a manifest of N synthetic records
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

#include <fmt/format.h>

#include "bucketline/inspect/proc_file.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/synthetic_manifest.h"
#include "bucketline/store/mapped_file.h"

namespace {

using namespace bucketline;

void Make(const std::string& path, uint64_t records) {
  const Bytes bytes = SyntheticManifest(records).ToBytes();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

// Memory of the process that is its own, not the file's pages.
uint64_t AnonymousBytes() { return ProcBytes(ReadProcFile("/proc/self/status"), "RssAnon:"); }

void Open(const std::string& path) {
  const uint64_t before = AnonymousBytes();
  const Bytes bytes = MapFile(path);
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
