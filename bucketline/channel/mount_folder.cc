#include "bucketline/channel/mount_folder.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/store/search_path.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

void PrepareMountFolder(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  bool empty = false;
  // The kernel may remember the attributes of a folder whose file system is gone, but not what is in it.
  if (!failure) empty = std::filesystem::is_empty(folder, failure);
  if (failure == std::errc::not_connected) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "this is still the mount of a process that is gone; remove it with: fusermount3 -u '{0}'  "
            "(or, as root, umount -l '{0}')",
            folder),
        folder);
  }
  if (failure)
    throw Error(ErrorCode::kIo, "cannot make this folder, or look into it: " + failure.message(), folder);
  if (!empty) {
    throw Error(ErrorCode::kInvalidArgument, "this folder is not empty: a mount would hide what is in it",
                folder);
  }
}

void CheckFuseDevice(const std::string& device) {
  const UniqueFd fd(open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.get() < 0) {
    const int code = errno;
    if (code == ENOENT || code == ENODEV || code == ENXIO) {
      throw Error(
          ErrorCode::kUnsupported,
          "there is no FUSE here: install the package fuse3, load its module (modprobe fuse), and give a "
          "container the device (docker run --device /dev/fuse --cap-add SYS_ADMIN)",
          device);
    }
    throw Error(
        ErrorCode::kPermissionDenied,
        fmt::format("this process may not use FUSE ({}): give the user read and write permission of the "
                    "device, and a container --device /dev/fuse --cap-add SYS_ADMIN",
                    std::generic_category().message(code)),
        device);
  }
  if (geteuid() != 0 && !InSearchPath("fusermount3", std::getenv("PATH"))) {
    throw Error(ErrorCode::kUnsupported,
                "only root may mount without fusermount3: install the package fuse3, whose program it is",
                device);
  }
}

}  // namespace bucketline
