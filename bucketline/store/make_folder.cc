#include "bucketline/store/make_folder.h"

#include <filesystem>
#include <system_error>

#include "bucketline/base/error.h"

namespace bucketline {

void MakeFolder(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw Error(ErrorCode::kIo, "cannot make this folder: " + failure.message(), folder);
}

}  // namespace bucketline
