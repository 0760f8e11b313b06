#include "bucketline/channel/file_index.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr uint64_t kVersion = 1;

struct Row {
  uint64_t name = 0;
  uint64_t source = 0;
  uint64_t local = 0;
  uint64_t check = 0;  // of the above

  uint64_t Check() const {
    return StableHash64({reinterpret_cast<const char*>(this), sizeof(Row) - sizeof(check)}, kVersion);
  }
};
static_assert(sizeof(Row) == 32);

}  // namespace

FileIndex::FileIndex(std::string path) : path_(std::move(path)) {
  file_ = UniqueFd(open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file_) throw PosixError(errno, "open the index of what was downloaded", path_);
  Read();
}

void FileIndex::Read() {
  std::array<Row, 1024> rows;
  off_t offset = 0;
  for (;;) {
    const ssize_t got = pread(file_.get(), rows.data(), sizeof(rows), offset);
    if (got < 0) throw PosixError(errno, "read the index of what was downloaded", path_);
    const size_t whole = static_cast<size_t>(got) / sizeof(Row);
    for (size_t i = 0; i < whole; ++i) {
      if (rows[i].check == rows[i].Check()) copies_[rows[i].name] = {rows[i].source, rows[i].local};
    }
    offset += static_cast<off_t>(whole * sizeof(Row));
    if (whole == 0) break;
  }
  // Rows begin at multiples of their size, also after one that a crash cut off.
  if (ftruncate(file_.get(), offset) != 0) throw PosixError(errno, "write the index", path_);
}

bool FileIndex::Has(std::string_view name, std::string_view source, std::string_view local) const {
  const auto found = copies_.find(StableHash64(name));
  return found != copies_.end() && found->second.source == StableHash64(source) &&
         found->second.local == StableHash64(local);
}

bool FileIndex::MayHave(std::string_view name, std::string_view source) const {
  const auto found = copies_.find(StableHash64(name));
  return found != copies_.end() && found->second.source == StableHash64(source);
}

void FileIndex::Add(std::string_view name, std::string_view source, std::string_view local) {
  Row row{.name = StableHash64(name), .source = StableHash64(source), .local = StableHash64(local)};
  row.check = row.Check();
  const ssize_t written = write(file_.get(), &row, sizeof(row));
  if (written != sizeof(row)) {
    throw PosixError(written < 0 ? errno : ENOSPC, "write the index of what was downloaded", path_);
  }
  copies_[row.name] = {row.source, row.local};
}

}  // namespace bucketline
