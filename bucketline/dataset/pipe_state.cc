#include "bucketline/dataset/pipe_state.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

std::string FileOf(const ChannelPlace& place, std::string_view what) {
  return fmt::format("{}/.{}-pipe_mode-{}", place.state_folder, place.name, what);
}

UniqueFd OpenLock(const std::string& path) {
  UniqueFd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!lock) {
    throw PosixError(errno,
                     "write here which FIFO is next (set SAGEMAKER_BASE_DIR to a folder that can be written)",
                     path);
  }
  return lock;
}

void MakeFolder(const std::string& folder) {
  std::error_code ignored;  // whoever opens a file in it says what is wrong
  std::filesystem::create_directories(folder, ignored);
}

}  // namespace

PipeState::PipeState(const ChannelPlace& place)
    : file_(FileOf(place, "state")), lock_(FileOf(place, "lock")) {
  MakeFolder(place.state_folder);
}

UniqueFd PipeState::Lock() const {
  UniqueFd lock = OpenLock(lock_);
  while (flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw PosixError(errno, "lock the state of a channel", lock_);
  }
  return lock;
}

uint64_t PipeState::Read() const {
  std::ifstream file(file_);
  uint64_t number = 0;
  return file >> number ? number : 0;
}

uint64_t PipeState::Next() const {
  const UniqueFd lock = Lock();
  return Read();
}

void PipeState::Begin(uint64_t number) const {
  const UniqueFd lock = Lock();
  if (Read() > number) return;
  std::ofstream file(file_, std::ios::trunc);
  file << number + 1 << std::flush;
  if (!file) throw PosixError(errno, "write which FIFO of a channel is next", file_);
}

// Closing would not do where a forked child has the descriptor too.
PipeTurn::~PipeTurn() { flock(lock_.get(), LOCK_UN); }

PipeTurn::PipeTurn(const ChannelPlace& place) {
  MakeFolder(place.state_folder);
  lock_ = OpenLock(FileOf(place, "reader"));
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) throw PosixError(errno, "lock a channel", FileOf(place, "reader"));
  throw Error(
      ErrorCode::kInvalidArgument,
      "another loader, in this process or another, is reading this Pipe, and a FIFO has one reader: close "
      "that one first, or give the job a second channel of the same data",
      "channel:" + place.name);
}

}  // namespace bucketline
