#include "bucketline/dataset/key_prefix.h"

#include "bucketline/base/uri.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

std::string FolderPrefix(const Manifest& manifest) {
  std::string prefix = Runtime::KeyOf(Uri::Parse(manifest.source()));
  if (prefix.empty() || prefix.ends_with('/') || manifest.size() == 0) return prefix;
  std::string folder = prefix + "/";
  // Keys are in order and share the prefix: those of the folder are neighbours.
  if (manifest.Key(0).starts_with(folder) && manifest.Key(manifest.size() - 1).starts_with(folder))
    return folder;
  return prefix.substr(0, prefix.rfind('/') + 1);  // "" without a "/"
}

}  // namespace bucketline
