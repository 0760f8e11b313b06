// The decorators for tests are stores themselves, so they keep the contract when they inject nothing.
#include "tests/contract/store_contract.h"

#include "bucketline/store/fault_store.h"
#include "bucketline/store/latency_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline::testing {
namespace {

// The fixture of a decorator around a memory store, which outlives it.
template <typename Decorate>
StoreFixture Decorated(std::string name, Decorate decorate) {
  StoreFixture fixture;
  fixture.name = std::move(name);
  fixture.make = [decorate] {
    std::shared_ptr<ObjectStore> inner = MakeMemoryStore("inner");
    return LiveStore{inner, decorate(inner)};
  };
  fixture.many_keys = 2100;
  fixture.model_operations = 100;
  return fixture;
}

INSTANTIATE_TEST_SUITE_P(
    Decorator, StoreContract,
    ::testing::Values(
        Decorated("Recording", [](auto inner) { return std::make_unique<RecordingStore>(inner); }),
        Decorated("Latency",
                  [](auto inner) {
                    return std::make_unique<LatencyStore>(inner,
                                                          FixedLatency(std::chrono::microseconds(100)));
                  }),
        Decorated("Fault", [](auto inner) { return std::make_unique<FaultStore>(inner, InTurn({})); })),
    FixtureName);

}  // namespace
}  // namespace bucketline::testing
