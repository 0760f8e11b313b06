#!/usr/bin/env bash
# The long random runs: the stress tests at full count, release and under both sanitizers.
# usage: soak.sh [RANDOM_STOPS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export BUCKETLINE_SOAK_STOPS="${1:-5000}"
for preset in release asan tsan; do
  cmake --preset "$preset" >/dev/null
  cmake --build "build/$preset" --target loader_test store_contract_test
  "build/$preset/bin/loader_test" --gtest_filter='*Stop*'
  "build/$preset/bin/store_contract_test" --gtest_filter='*Model*'
done
