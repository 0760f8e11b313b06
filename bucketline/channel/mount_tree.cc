#include "bucketline/channel/mount_tree.h"

#include <algorithm>
#include <utility>

#include "bucketline/base/error.h"

namespace bucketline {

MountTree::MountTree(Dataset dataset, size_t path_start) : dataset_(std::move(dataset)) {
  if (dataset_.size() > UINT32_MAX) {
    throw Error(ErrorCode::kUnsupported,
                "more than 4 294 967 295 objects cannot be mounted; name a longer prefix", dataset_.source());
  }
  const auto size = static_cast<uint32_t>(dataset_.size());
  folders_.push_back({.first = 0, .last = size, .depth = static_cast<uint32_t>(path_start), .parent = 0});
  std::vector<uint32_t> open = {0};  // the root and the folders of the latest key, inside one another
  std::string before;
  for (uint32_t record = 0; record < size; ++record) {
    std::string key = dataset_.Key(record);
    const size_t same = static_cast<size_t>(
        std::mismatch(key.begin(), key.end(), before.begin(), before.end()).first - key.begin());
    while (open.size() > 1 && folders_[open.back()].depth > same) {
      folders_[open.back()].last = record;
      open.pop_back();
    }
    size_t begin = folders_[open.back()].depth;
    for (size_t slash; (slash = key.find('/', begin)) != std::string::npos; begin = slash + 1) {
      folders_.push_back(
          {.first = record, .last = size, .depth = static_cast<uint32_t>(slash + 1), .parent = open.back()});
      open.push_back(static_cast<uint32_t>(folders_.size() - 1));
    }
    before = std::move(key);
  }
  folders_.shrink_to_fit();
}

uint32_t MountTree::LowerBound(uint32_t first, uint32_t last, std::string_view key) const {
  while (first < last) {
    const uint32_t middle = first + (last - first) / 2;
    if (dataset_.Key(middle) < key) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

uint64_t MountTree::FolderAt(uint32_t record, size_t depth) const {
  const auto found = std::lower_bound(folders_.begin(), folders_.end(), std::pair(record, depth),
                                      [](const Folder& folder, const std::pair<uint32_t, size_t>& wanted) {
                                        return folder.first != wanted.first ? folder.first < wanted.first
                                                                            : folder.depth < wanted.second;
                                      });
  return static_cast<uint64_t>(found - folders_.begin()) + 1;
}

std::optional<uint64_t> MountTree::Lookup(uint64_t folder, std::string_view name) const {
  const Folder& in = FolderOf(folder);
  if (in.first == in.last || name.find('/') != std::string_view::npos) return std::nullopt;
  std::string key = dataset_.Key(in.first).substr(0, in.depth);
  key += name;
  const uint32_t file = LowerBound(in.first, in.last, key);
  if (file < in.last && dataset_.Key(file) == key) return NodeOf(file);
  key += '/';
  const uint32_t below = LowerBound(file, in.last, key);
  if (below < in.last && dataset_.Key(below).starts_with(key)) return FolderAt(below, key.size());
  return std::nullopt;
}

uint64_t MountTree::ParentOf(uint64_t folder) const { return uint64_t{FolderOf(folder).parent} + 1; }

void MountTree::List(uint64_t folder, uint64_t position, const Visit& visit) const {
  const Folder& in = FolderOf(folder);
  for (uint64_t record = in.first + position; record < in.last;) {
    const std::string key = dataset_.Key(record);
    const size_t slash = key.find('/', in.depth);
    uint64_t node = NodeOf(record);
    uint64_t next = record + 1;
    if (slash != std::string::npos) {
      node = FolderAt(static_cast<uint32_t>(record), slash + 1);
      next = FolderOf(node).last;
    }
    const std::string_view name = std::string_view(key).substr(in.depth, slash - in.depth);
    if (!visit(name, node, next - in.first)) return;
    record = next;
  }
}

}  // namespace bucketline
