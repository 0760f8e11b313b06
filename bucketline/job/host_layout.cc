#include "bucketline/job/host_layout.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr std::string_view kContainerRoot = "/opt/ml";

void Check(const std::error_code& failure, std::string_view what, const std::string& path) {
  if (failure) throw PosixError(failure.value(), what, path);
}

void MakeFolder(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  Check(failure, "make this folder", path);
}

// A folder that this job begins with: nothing is in it.
void MakeEmptyFolder(const std::string& path, bool fresh) {
  std::error_code failure;
  if (fresh) {
    std::filesystem::remove_all(path, failure);
    Check(failure, "remove what an earlier job left", path);
  }
  MakeFolder(path);
  const bool empty = std::filesystem::is_empty(path, failure);
  Check(failure, "look into this folder", path);
  if (!empty) {
    throw Error(ErrorCode::kAlreadyExists,
                "holds the files of an earlier job; give another --root, or --fresh to remove them", path);
  }
}

}  // namespace

std::string HostLayout::Here(std::string_view container_path) const {
  std::string path = root_ + std::string(container_path.substr(kContainerRoot.size()));
  while (path.back() == '/') path.pop_back();
  return path;
}

std::string HostName(size_t index) { return fmt::format("algo-{}", index + 1); }

std::vector<std::string> HostNames(size_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (size_t i = 0; i < count; ++i) names.push_back(HostName(i));
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<HostLayout> HostLayouts(const std::string& root, size_t count) {
  if (count == 1) return {HostLayout(root)};
  std::vector<HostLayout> layouts;
  layouts.reserve(count);
  for (size_t i = 0; i < count; ++i) layouts.emplace_back(root + "/" + HostName(i));
  return layouts;
}

void MakeLayout(const HostLayout& layout, const std::string& checkpoints, bool fresh) {
  for (const std::string& path : {layout.input(), layout.model(), layout.output(), checkpoints}) {
    MakeEmptyFolder(path, fresh);
  }
  for (const std::string& path :
       {layout.config(), layout.data(), layout.output_data(), layout.output_intermediate(), layout.code()}) {
    MakeFolder(path);
  }
}

}  // namespace bucketline
