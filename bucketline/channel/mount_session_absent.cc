// MountSession of a build without FUSE.
#ifndef BUCKETLINE_HAS_FUSE

#include "bucketline/base/error.h"
#include "bucketline/channel/mount_session.h"

namespace bucketline {

class MountSession::Impl {};

MountSession::MountSession(const MountTree&, MountReader&, MountSessionOptions options) {
  throw Error(ErrorCode::kUnsupported, "built without FUSE: install libfuse3-dev and build anew",
              options.folder);
}
MountSession::~MountSession() = default;
bool MountSession::WaitUntilGone(const std::stop_token&) { return true; }

}  // namespace bucketline

#endif  // BUCKETLINE_HAS_FUSE
