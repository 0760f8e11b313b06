#include "tests/contract/store_contract.h"

#include "bucketline/store/memory_store.h"

namespace bucketline::testing {
namespace {

StoreFixture Fixture() {
  StoreFixture fixture;
  fixture.name = "Memory";
  fixture.make = [] { return LiveStore{nullptr, MakeMemoryStore("contract")}; };
  return fixture;
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values(Fixture()), FixtureName);

}  // namespace
}  // namespace bucketline::testing
