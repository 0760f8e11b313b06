// A CachingStore keeps the contract: with room for everything, and with room for little.
#include "tests/contract/store_contract.h"

#include "bucketline/base/temp_folder.h"
#include "bucketline/base/units.h"
#include "bucketline/cache/caching_store.h"
#include "bucketline/store/memory_store.h"

namespace bucketline::testing {
namespace {

struct Backing {
  TempFolder folder;
  std::shared_ptr<ObjectStore> inner = MakeMemoryStore("inner");
};

std::unique_ptr<ObjectStore> Cached(const Backing& backing, uint64_t limit) {
  auto cache =
      NodeCache::Open({.folder = backing.folder.Path("cache"), .limit = limit, .log = LogToNowhere()});
  auto dataset = cache->Use("mem://inner/");
  return std::make_unique<CachingStore>(backing.inner, cache, dataset, "mem://inner");
}

StoreFixture Fixture(std::string name, uint64_t limit) {
  StoreFixture fixture;
  fixture.name = std::move(name);
  fixture.make = [limit] {
    auto backing = std::make_shared<Backing>();
    return LiveStore{backing, Cached(*backing, limit)};
  };
  fixture.many_keys = 2100;
  fixture.model_operations = 100;
  return fixture;
}

INSTANTIATE_TEST_SUITE_P(Cache, StoreContract,
                         ::testing::Values(Fixture("Caching", 256_MiB),
                                           Fixture("CachingInLittleRoom", 1_MiB)),
                         FixtureName);

}  // namespace
}  // namespace bucketline::testing
