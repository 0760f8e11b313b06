#include <utility>

#include "tests/contract/store_contract.h"

#include "bucketline/base/temp_folder.h"
#include "bucketline/store/file_store.h"

namespace bucketline::testing {
namespace {

StoreFixture FileFixture(std::string name, FileCommit commit) {
  StoreFixture fixture;
  fixture.name = std::move(name);
  fixture.make = [commit] {
    const auto folder = std::make_shared<TempFolder>();
    // Files made by others are objects too, and cost no flush to disk.
    const auto fast_put = [folder](const std::string& key, const std::string& content) {
      folder->Put(key, content);
    };
    return LiveStore{folder, MakeFileStore(folder->path(), kFileThreads, commit), fast_put};
  };
  fixture.supports_key_below_key = false;
  fixture.supports_empty_segments = false;
  fixture.supports_dot_segments = false;
  return fixture;
}

INSTANTIATE_TEST_SUITE_P(File, StoreContract,
                         ::testing::Values(FileFixture("File", FileCommit::kDurable),
                                           FileFixture("FileVisible", FileCommit::kVisible)),
                         FixtureName);

}  // namespace
}  // namespace bucketline::testing
