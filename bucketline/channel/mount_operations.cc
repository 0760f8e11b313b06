#ifdef BUCKETLINE_HAS_FUSE

#include "bucketline/channel/mount_operations.h"

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr double kForever = 365.0 * 24 * 3600;  // seconds that the kernel may keep names and attributes
constexpr size_t kBlock = 4096;
// Folders list "." and ".." before their children.
constexpr uint64_t kDots = 2;

timespec ToTimespec(WallTime time) {
  const auto nanoseconds = time.time_since_epoch().count();
  return {.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000),
          .tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000)};
}

MountOperations& Of(fuse_req_t request) { return *static_cast<MountOperations*>(fuse_req_userdata(request)); }

// Runs `answer`, which throws instead of answering.
template <typename Function>
void AnswerOr(fuse_req_t request, Function answer) {
  try {
    answer(Of(request));
  } catch (const std::exception& error) {
    Of(request).Fail(request, error);
  }
}

void Init(void*, fuse_conn_info* connection) {
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA);  // nothing ever changes
  connection->max_read = MountReader::kLongestRead;
  connection->max_background = 64;
  connection->congestion_threshold = 48;
}

// Entries as the kernel reads them, up to a size.
class EntryBuffer {
 public:
  EntryBuffer(fuse_req_t request, size_t limit, bool attributes)
      : request_(request), attributes_(attributes), bytes_(limit) {}

  // False when there is no room for it. `next` is the position after it.
  bool Add(const std::string& name, const fuse_entry_param& entry, uint64_t next) {
    char* const at = bytes_.data() + used_;
    const size_t room = bytes_.size() - used_;
    const auto offset = static_cast<off_t>(next);
    const size_t size = attributes_
                            ? fuse_add_direntry_plus(request_, at, room, name.c_str(), &entry, offset)
                            : fuse_add_direntry(request_, at, room, name.c_str(), &entry.attr, offset);
    if (size > room) return false;
    used_ += size;
    return true;
  }

  void Send() { fuse_reply_buf(request_, bytes_.data(), used_); }

 private:
  const fuse_req_t request_;
  const bool attributes_;
  std::vector<char> bytes_;
  size_t used_ = 0;
};

}  // namespace

MountOperations::MountOperations(const MountTree& tree, MountReader& reader, WallTime mtime, LogSink log,
                                 std::stop_token stop)
    : tree_(tree), reader_(reader), log_(std::move(log)), stop_(std::move(stop)), mtime_(ToTimespec(mtime)) {}

struct stat MountOperations::AttributesOf(uint64_t node) const {
  const bool folder = tree_.IsFolder(node);
  struct stat attributes{};
  attributes.st_ino = node;
  attributes.st_mode = folder ? S_IFDIR | 0555 : S_IFREG | 0444;
  attributes.st_nlink = folder ? 2 : 1;
  attributes.st_uid = geteuid();
  attributes.st_gid = getegid();
  if (!folder) attributes.st_size = static_cast<off_t>(tree_.dataset().RecordBytes(tree_.RecordOf(node)));
  attributes.st_blksize = 128 << 10;  // what the kernel reads at a time
  attributes.st_blocks = (attributes.st_size + 511) / 512;
  attributes.st_mtim = attributes.st_ctim = attributes.st_atim = mtime_;
  return attributes;
}

fuse_entry_param MountOperations::EntryOf(uint64_t node) const {
  fuse_entry_param entry{};
  entry.ino = node;
  entry.attr = AttributesOf(node);
  entry.attr_timeout = entry.entry_timeout = kForever;
  return entry;
}

void MountOperations::Lookup(fuse_req_t request, uint64_t folder, const char* name) {
  if (!tree_.IsFolder(folder)) throw Error(ErrorCode::kInternal, "a name is looked up in what is no folder");
  fuse_entry_param entry{};
  entry.entry_timeout = kForever;  // also of names that are not there
  if (const std::optional<uint64_t> node = tree_.Lookup(folder, name)) entry = EntryOf(*node);
  fuse_reply_entry(request, &entry);
}

void MountOperations::GetAttributes(fuse_req_t request, uint64_t node) {
  if (!tree_.Exists(node)) throw Error(ErrorCode::kInternal, "there is no such node");
  const struct stat attributes = AttributesOf(node);
  fuse_reply_attr(request, &attributes, kForever);
}

void MountOperations::Open(fuse_req_t request, uint64_t node, fuse_file_info* info) {
  if ((info->flags & O_ACCMODE) != O_RDONLY) {
    fuse_reply_err(request, EROFS);
    return;
  }
  std::unique_ptr<MountReader::File> file = reader_.Open(tree_.RecordOf(node));
  info->fh = reinterpret_cast<uint64_t>(file.get());
  info->keep_cache = 1;
  {
    std::lock_guard lock(mutex_);
    files_.emplace(info->fh, std::move(file));
  }
  if (fuse_reply_open(request, info) == -ENOENT) {  // its caller is gone: nobody will release it
    std::lock_guard lock(mutex_);
    files_.erase(info->fh);
  }
}

void MountOperations::Read(fuse_req_t request, uint64_t file, size_t length, uint64_t offset) {
  auto& open_file =
      *reinterpret_cast<MountReader::File*>(file);  // NOLINT(performance-no-int-to-ptr): libfuse's
  std::vector<Bytes> parts;
  try {
    parts = reader_.Read(open_file, offset, length, stop_);
  } catch (const Error&) {  // logged by the reader, once for each object
    fuse_reply_err(request, EIO);
    return;
  }
  std::vector<iovec> pieces;
  pieces.reserve(parts.size());
  for (const Bytes& part : parts) {
    pieces.push_back({.iov_base = const_cast<uint8_t*>(part.data()), .iov_len = part.size()});
  }
  fuse_reply_iov(request, pieces.data(), static_cast<int>(pieces.size()));
}

void MountOperations::Release(fuse_req_t request, uint64_t file) {
  std::unique_ptr<MountReader::File> closed;
  {
    std::lock_guard lock(mutex_);
    const auto found = files_.find(file);
    if (found != files_.end()) {
      closed = std::move(found->second);
      files_.erase(found);
    }
  }
  fuse_reply_err(request, 0);
}

void MountOperations::OpenFolder(fuse_req_t request, uint64_t, fuse_file_info* info) {
  info->cache_readdir = 1;
  info->keep_cache = 1;
  fuse_reply_open(request, info);
}

void MountOperations::ReadFolder(fuse_req_t request, uint64_t folder, size_t length, uint64_t position,
                                 bool attributes) {
  EntryBuffer buffer(request, length, attributes);
  bool room = true;
  if (position < 1) room = buffer.Add(".", EntryOf(folder), 1);
  if (room && position < kDots) room = buffer.Add("..", EntryOf(tree_.ParentOf(folder)), kDots);
  if (room) {
    tree_.List(folder, position < kDots ? 0 : position - kDots,
               [&](std::string_view name, uint64_t node, uint64_t next) {
                 return buffer.Add(std::string(name), EntryOf(node), next + kDots);
               });
  }
  buffer.Send();
}

void MountOperations::Statistics(fuse_req_t request) {
  struct statvfs statistics{};
  statistics.f_bsize = statistics.f_frsize = kBlock;
  statistics.f_blocks = (tree_.dataset().total_bytes() + kBlock - 1) / kBlock;
  statistics.f_files = tree_.dataset().size() + tree_.folders();
  statistics.f_namemax = 255;
  fuse_reply_statfs(request, &statistics);
}

void MountOperations::Fail(fuse_req_t request, const std::exception& error) {
  log_(LogLevel::kError, fmt::format("the mount answers with EIO: {}", error.what()));
  fuse_reply_err(request, EIO);
}

const fuse_lowlevel_ops& MountOperations::Table() {
  static constexpr fuse_lowlevel_ops kTable = [] {
    fuse_lowlevel_ops table{};
    table.init = Init;
    table.lookup = [](fuse_req_t request, fuse_ino_t folder, const char* name) {
      AnswerOr(request, [&](MountOperations& operations) { operations.Lookup(request, folder, name); });
    };
    table.forget = [](fuse_req_t request, fuse_ino_t, uint64_t) { fuse_reply_none(request); };
    table.forget_multi = [](fuse_req_t request, size_t, fuse_forget_data*) { fuse_reply_none(request); };
    table.getattr = [](fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
      AnswerOr(request, [&](MountOperations& operations) { operations.GetAttributes(request, node); });
    };
    table.open = [](fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
      AnswerOr(request, [&](MountOperations& operations) { operations.Open(request, node, info); });
    };
    table.read = [](fuse_req_t request, fuse_ino_t, size_t length, off_t offset, fuse_file_info* info) {
      AnswerOr(request, [&](MountOperations& operations) {
        operations.Read(request, info->fh, length, static_cast<uint64_t>(offset));
      });
    };
    table.release = [](fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
      AnswerOr(request, [&](MountOperations& operations) { operations.Release(request, info->fh); });
    };
    table.opendir = [](fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
      AnswerOr(request, [&](MountOperations& operations) { operations.OpenFolder(request, node, info); });
    };
    table.readdir = [](fuse_req_t request, fuse_ino_t node, size_t length, off_t position, fuse_file_info*) {
      AnswerOr(request, [&](MountOperations& operations) {
        operations.ReadFolder(request, node, length, static_cast<uint64_t>(position), false);
      });
    };
    table.readdirplus = [](fuse_req_t request, fuse_ino_t node, size_t length, off_t position,
                           fuse_file_info*) {
      AnswerOr(request, [&](MountOperations& operations) {
        operations.ReadFolder(request, node, length, static_cast<uint64_t>(position), true);
      });
    };
    table.statfs = [](fuse_req_t request, fuse_ino_t) {
      AnswerOr(request, [&](MountOperations& operations) { operations.Statistics(request); });
    };
    return table;
  }();
  return kTable;
}

}  // namespace bucketline

#endif  // BUCKETLINE_HAS_FUSE
