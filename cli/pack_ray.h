// PackOnRay: `bucketline pack --ray`: this program finds the records, the Python package has Ray make the shards.
#pragma once

#include <optional>
#include <string>

#include "bucketline/dataset/dataset.h"
#include "bucketline/pack/pack.h"

namespace bucketline::cli {

struct RayArgs {
  bool wanted = false;
  std::string address = {};  // of a cluster; "": the one that Ray finds, or starts
  int cpus = 1;              // of each task
};

struct RayPack {
  std::string out;
  PackOptions pack;
  RayArgs ray;
  std::string quarantine = {};
  std::string name = {};  // of the data, for people
  bool json = false;
};

// The folder in which all of it is written down for the package: `dataset` as a manifest, and what is asked for. Throws
// kUnsupported for what a manifest cannot hold, and for options of the connection that the package does not have.
std::string WriteRayPack(const Dataset& dataset, const RuntimeOptions& runtime, PinMode pin,
                         const RayPack& pack, const std::stop_token& stop);

// Becomes the package's program, which removes the folder: returns only by throwing, kUnsupported when there is no Python beside
// this program and none in PATH. BUCKETLINE_PYTHON names another one.
[[noreturn]] void ContinueInPython(const std::string& folder);

}  // namespace bucketline::cli
