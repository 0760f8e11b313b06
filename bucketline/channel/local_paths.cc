#include "bucketline/channel/local_paths.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr size_t kLongestSegment = 255;
constexpr uint64_t kNamedFaults = 3;

std::string SegmentProblem(std::string_view segment) {
  if (segment.empty()) return "it has an empty segment";
  if (segment == "." || segment == "..") return fmt::format("it has the segment \"{}\"", segment);
  if (segment.size() > kLongestSegment) {
    return fmt::format("it has a segment of {} bytes, and file names have at most {}", segment.size(),
                       kLongestSegment);
  }
  if (segment.find('\0') != std::string_view::npos) return "it has a NUL in it";
  return {};
}

}  // namespace

size_t PathStart(std::string_view prefix) { return prefix.rfind('/') + 1; }

std::string PathProblem(std::string_view path) {
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (std::string problem = SegmentProblem(path.substr(begin, end - begin)); !problem.empty())
      return problem;
    begin = end + 1;
  }
  return {};
}

std::string PathChecker::Check(std::string_view path) {
  while (!open_.empty() && !path.starts_with(open_.back())) open_.pop_back();
  if (std::string problem = PathProblem(path); !problem.empty()) return problem;
  for (const std::string& file : open_) {
    if (file.size() == path.size()) return "it comes twice";
    if (path[file.size()] == '/')
      return fmt::format("\"{}\" is an object, so it cannot be a folder too", file);
  }
  open_.emplace_back(path);
  return {};
}

void FindPathFaults(const Dataset& dataset, size_t path_start,
                    const std::function<void(const PathFault& fault)>& fault) {
  PathChecker checker;
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    const std::string key = dataset.Key(i);
    const std::string_view path = std::string_view(key).substr(path_start);
    std::string problem = checker.Check(path);
    if (!problem.empty()) fault({.index = i, .path = std::string(path), .problem = std::move(problem)});
  }
}

void CheckPaths(const Dataset& dataset, size_t path_start) {
  uint64_t faults = 0;
  std::string named;
  FindPathFaults(dataset, path_start, [&](const PathFault& fault) {
    if (++faults <= kNamedFaults) {
      named += fmt::format("{}\"{}\": {}", named.empty() ? "" : "; ", fault.path, fault.problem);
    }
  });
  if (faults == 0) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("{} of {} keys cannot be files: {}{}; rename these objects, or read the channel as Pipe",
                  faults, dataset.size(), named, faults > kNamedFaults ? "; and more" : ""),
      dataset.source());
}

}  // namespace bucketline
