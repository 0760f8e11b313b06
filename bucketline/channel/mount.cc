#include "bucketline/channel/mount.h"

#include <utility>

#include "bucketline/base/clock.h"
#include "bucketline/channel/mount_reader.h"
#include "bucketline/channel/mount_session.h"
#include "bucketline/channel/mount_tree.h"
#include "bucketline/exec/heap_policy.h"

namespace bucketline {

struct Mount::Impl {
  Impl(const Dataset& dataset, size_t path_start, const std::string& folder, const MountOptions& options)
      : tree(OnlyPaths(dataset, path_start, options.left_out), path_start),
        reader(tree.dataset(), options.memory, dataset.runtime().log()),
        session(tree, reader,
                {.folder = folder,
                 .allow_other = options.allow_other,
                 .mtime = Clock::Real().WallNow(),
                 .log = dataset.runtime().log()}) {}

  const MountTree tree;
  MountReader reader;
  MountSession session;
};

Mount::Mount(const Dataset& dataset, size_t path_start, const std::string& folder,
             const MountOptions& options)
    : impl_(std::make_unique<Impl>(dataset, path_start, folder, options)) {
  ReturnFreedMemory();  // the listing's
}
Mount::~Mount() = default;

bool Mount::WaitUntilGone(const std::stop_token& stop) { return impl_->session.WaitUntilGone(stop); }
uint64_t Mount::files() const { return impl_->tree.dataset().size(); }
uint64_t Mount::folders() const { return impl_->tree.folders() - 1; }
uint64_t Mount::bytes_read() const { return impl_->reader.bytes_read(); }
uint64_t Mount::failed_reads() const { return impl_->reader.failed_reads(); }

}  // namespace bucketline
