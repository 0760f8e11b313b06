#include "bucketline/cache/local_disk.h"

#include <fmt/format.h>
#include <sys/vfs.h>

#include "bucketline/base/error.h"

namespace bucketline {

// The numbers stand in statfs(2) and in the sources of the file systems.
std::optional<std::string_view> NetworkFileSystem(uint64_t type) {
  switch (type & 0xffffffff) {
    case 0x6969:
      return "NFS";
    case 0xff534d42:
    case 0xfe534d42:
    case 0x517b:
      return "SMB";
    case 0x0bd00bd0:
      return "Lustre";
    case 0x00c36400:
      return "Ceph";
    case 0x47504653:
      return "GPFS";
    case 0x5346414f:
    case 0x6b414653:
      return "AFS";
    case 0x01021997:
      return "9P";
    case 0x19830326:
      return "BeeGFS";
    case 0x01161970:
      return "GFS2";
    case 0x7461636f:
      return "OCFS2";
    default:
      return std::nullopt;
  }
}

void RequireLocalDisk(int folder, const std::string& path) {
  struct statfs status = {};
  if (::fstatfs(folder, &status) != 0) return;  // whatever it is, the next step says
  const auto name = NetworkFileSystem(static_cast<uint64_t>(status.f_type));
  if (!name) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("the cache folder lies on a network file system ({}), where every byte would cross the "
                  "network again and processes cannot share counters; give a folder on a local disk",
                  *name),
      path);
}

}  // namespace bucketline
