// How the loader's stages look in JSON, in every report.
#pragma once

#include <nlohmann/json.hpp>

#include "bucketline/base/clock.h"
#include "bucketline/loader/loader.h"

namespace bucketline::cli {

inline nlohmann::ordered_json StageJson(const StageStats& stage) {
  return {{"count", stage.count}, {"wall_seconds", Seconds(stage.wall)}, {"cpu_seconds", Seconds(stage.cpu)}};
}

inline nlohmann::ordered_json CacheJson(const CacheStats& cache) {
  return {{"hits", cache.hits},
          {"hit_bytes", cache.hit_bytes},
          {"misses", cache.misses},
          {"miss_bytes", cache.miss_bytes},
          {"stored", cache.stored},
          {"stored_bytes", cache.stored_bytes},
          {"full", cache.full},
          {"failed", cache.failed},
          {"damaged", cache.damaged},
          {"pixel_hits", cache.pixel_hits},
          {"pixel_hit_bytes", cache.pixel_hit_bytes},
          {"pixel_misses", cache.pixel_misses}};
}

}  // namespace bucketline::cli
