// Replays fuzz/corpus/NAME and tests/regressions/NAME through the harness of that name. A harness that meets a
// fault aborts, or the sanitizer does; what it throws fails the test.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/harnesses.h"
#include <gtest/gtest.h>

namespace bucketline::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<uint8_t> Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class ReplayTest : public ::testing::TestWithParam<NamedHarness> {};

// The whole input, and cut at a few places: what a transfer that ended early leaves.
TEST_P(ReplayTest, StoredInputs) {
  const NamedHarness& harness = GetParam();
  const auto seeds = FilesIn(fs::path(BUCKETLINE_CORPUS) / harness.name);
  const auto finds = FilesIn(fs::path(BUCKETLINE_REGRESSIONS) / harness.name);
  ASSERT_FALSE(seeds.empty()) << "no seeds: run fuzz/make_corpus.py";
  for (const auto& files : {seeds, finds}) {
    for (const fs::path& path : files) {
      SCOPED_TRACE(path.string());
      const std::vector<uint8_t> data = Read(path);
      harness.run(data);
      for (size_t part = 0; part < 16; ++part) harness.run(std::span(data).first(data.size() * part / 16));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Harnesses, ReplayTest, ::testing::ValuesIn(kHarnesses),
                         [](const auto& harness) { return std::string(harness.param.name); });

TEST(ReplayTest, EveryFolderHasAHarness) {
  for (const char* root : {BUCKETLINE_CORPUS, BUCKETLINE_REGRESSIONS}) {
    for (const auto& entry : fs::directory_iterator(root)) {
      if (!entry.is_directory()) continue;
      if (entry.path().filename() == "store") continue;  // operations, which tests/contract replays
      const auto named = [&](const NamedHarness& harness) { return harness.name == entry.path().filename(); };
      EXPECT_TRUE(std::any_of(kHarnesses.begin(), kHarnesses.end(), named)) << entry.path();
    }
  }
}

}  // namespace
}  // namespace bucketline::fuzz
