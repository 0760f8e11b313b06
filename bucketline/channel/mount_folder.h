// The folder to mount on: is it fit, and if not, what to do.
#pragma once

#include <string>

namespace bucketline {

// Makes the folder if it is not there. Throws kInvalidArgument when it is not empty, or the mount of a process that is
// gone (with the command that removes it); kIo when it cannot be made.
void PrepareMountFolder(const std::string& folder);

// Throws kUnsupported when there is no /dev/fuse (naming the package and a container's option), kPermissionDenied when
// this process may not open it, kUnsupported when it may but lacks both root's rights and fusermount3.
void CheckFuseDevice(const std::string& device = "/dev/fuse");

}  // namespace bucketline
