#include "bucketline/store/search_path.h"

#include <sstream>

#include <unistd.h>

namespace bucketline {

bool InSearchPath(const std::string& program, const char* path) {
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.empty()) continue;
    if (access(folder.append("/").append(program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace bucketline
