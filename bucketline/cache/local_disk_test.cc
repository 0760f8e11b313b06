#include "bucketline/cache/local_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

TEST(LocalDisk, FileSystemsThatMachinesShareHaveNames) {
  EXPECT_EQ(NetworkFileSystem(NFS_SUPER_MAGIC), "NFS");
  EXPECT_EQ(NetworkFileSystem(SMB_SUPER_MAGIC), "SMB");
  EXPECT_EQ(NetworkFileSystem(CIFS_SUPER_MAGIC), "SMB");
  EXPECT_EQ(NetworkFileSystem(CEPH_SUPER_MAGIC), "Ceph");
  EXPECT_EQ(NetworkFileSystem(AFS_SUPER_MAGIC), "AFS");
  EXPECT_EQ(NetworkFileSystem(V9FS_MAGIC), "9P");
  EXPECT_EQ(NetworkFileSystem(OCFS2_SUPER_MAGIC), "OCFS2");
  // Those that Linux does not have itself.
  EXPECT_EQ(NetworkFileSystem(0x0bd00bd0), "Lustre");
  EXPECT_EQ(NetworkFileSystem(0x47504653), "GPFS");
  EXPECT_EQ(NetworkFileSystem(0x19830326), "BeeGFS");
  // statfs gives a signed number, which may come with its sign.
  EXPECT_EQ(NetworkFileSystem(static_cast<uint64_t>(static_cast<int32_t>(CIFS_SUPER_MAGIC))), "SMB");
}

TEST(LocalDisk, DisksAndMemoryHaveNone) {
  for (const uint64_t type :
       std::initializer_list<uint64_t>{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
                                       OVERLAYFS_SUPER_MAGIC, FUSE_SUPER_MAGIC}) {
    EXPECT_FALSE(NetworkFileSystem(type)) << std::hex << type;
  }
  const testing::TempFolder folder;
  const UniqueFd open(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_NO_THROW(RequireLocalDisk(open.get(), folder.path()));
}

}  // namespace
}  // namespace bucketline
