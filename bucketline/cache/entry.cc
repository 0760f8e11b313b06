#include "bucketline/cache/entry.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/hash.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr uint64_t kMagic =
    0x3145484341434c42;  // "BLCACHE1" on little-endian machines, the only ones built for

struct Fixed {
  uint64_t magic = kMagic;
  uint64_t header_hash = 0;  // of everything between itself and the bytes
  uint64_t payload_hash = 0;
  uint64_t payload_size = 0;
  uint64_t object_size = 0;
  int64_t last_modified = 0;  // nanoseconds since 1970
  uint32_t range_size = 0;
  uint16_t etag_size = 0;
  uint16_t version_size = 0;
};
static_assert(sizeof(Fixed) == 56);
constexpr size_t kHashedFrom = 16;
constexpr size_t kUsualHeader = 512;
constexpr size_t kLargestHeader = 64 << 10;
constexpr size_t kPiece = size_t{1} << 20;

uint64_t HashOf(std::span<const uint8_t> bytes, uint64_t seed = 0) {
  return StableHash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, seed);
}

uint64_t HeaderHash(std::span<const uint8_t> header) { return HashOf(header.subspan(kHashedFrom)); }

// As many of the bytes as the file has.
size_t ReadAt(int fd, std::span<uint8_t> memory, uint64_t offset) {
  size_t done = 0;
  while (done < memory.size()) {
    const ssize_t got =
        ::pread(fd, memory.data() + done, memory.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw PosixError(errno, "read the cache");
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

// A header that is whole, and what it says; nullopt for anything else.
struct Header {
  Fixed fixed;
  std::string texts;  // range, ETag, version

  uint64_t size() const { return sizeof(Fixed) + texts.size(); }
};

std::optional<Header> ReadHeader(int fd) {
  std::array<uint8_t, kUsualHeader> start;
  const size_t got = ReadAt(fd, start, 0);
  Header header;
  if (got < sizeof(Fixed)) return std::nullopt;
  std::memcpy(&header.fixed, start.data(), sizeof(Fixed));
  const uint64_t texts =
      uint64_t{header.fixed.range_size} + header.fixed.etag_size + header.fixed.version_size;
  if (header.fixed.magic != kMagic || texts > kLargestHeader) return std::nullopt;
  const size_t size = sizeof(Fixed) + texts;
  std::span<const uint8_t> whole(start.data(), std::min(got, size));
  std::vector<uint8_t> longer;
  if (size > got) {
    longer.resize(size);
    whole = std::span(longer).first(ReadAt(fd, longer, 0));
  }
  if (whole.size() < size || HeaderHash(whole) != header.fixed.header_hash) return std::nullopt;
  header.texts.assign(reinterpret_cast<const char*>(whole.data()) + sizeof(Fixed), texts);
  return header;
}

// Piece by piece, so that a look at an entry needs little memory however large it is.
class PayloadHash {
 public:
  void Add(std::span<const uint8_t> piece) { hash_ = HashOf(piece, hash_); }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0;
};

uint64_t HashPayload(std::span<const uint8_t> payload) {
  PayloadHash hash;
  for (; !payload.empty(); payload = payload.subspan(std::min(kPiece, payload.size())))
    hash.Add(payload.first(std::min(kPiece, payload.size())));
  return hash.value();
}

}  // namespace

EntryId::EntryId(std::string_view store, std::string_view key, uint64_t offset, uint64_t length,
                 std::string etag, std::string_view recipe)
    : etag_(std::move(etag)) {
  range_.reserve(16 + store.size() + 1 + key.size() + 1 + recipe.size());
  range_.append(reinterpret_cast<const char*>(&offset), sizeof offset);
  range_.append(reinterpret_cast<const char*>(&length), sizeof length);
  range_.append(store).append(1, '\0').append(key);
  if (!recipe.empty()) range_.append(1, '\0').append(recipe);  // no key has a zero byte
  hash_ = StableHash64(range_);
}

std::vector<uint8_t> EntryHeader(const EntryId& id, const ObjectInfo& object,
                                 std::span<const uint8_t> payload) {
  Fixed fixed{.payload_hash = HashPayload(payload),
              .payload_size = payload.size(),
              .object_size = object.size,
              .last_modified = object.last_modified.time_since_epoch().count(),
              .range_size = static_cast<uint32_t>(id.range().size()),
              .etag_size = static_cast<uint16_t>(id.etag().size()),
              .version_size = static_cast<uint16_t>(object.version.size())};
  std::vector<uint8_t> header(sizeof fixed);
  for (const std::string* text : {&id.range(), &id.etag(), &object.version})
    header.insert(header.end(), text->begin(), text->end());
  std::memcpy(header.data(), &fixed, sizeof fixed);
  fixed.header_hash = HeaderHash(header);
  std::memcpy(header.data(), &fixed, sizeof fixed);
  return header;
}

EntryReader::EntryReader(UniqueFd file, const EntryId& id) : file_(std::move(file)) {
  const std::optional<Header> header = ReadHeader(file_.get());
  if (!header) return;
  const std::string_view texts = header->texts;
  const auto& fixed = header->fixed;
  if (texts.substr(0, fixed.range_size) != id.range() ||
      texts.substr(fixed.range_size, fixed.etag_size) != id.etag()) {
    state_ = State::kOther;
    return;
  }
  state_ = State::kWanted;
  object_.size = fixed.object_size;
  object_.etag = id.etag();
  object_.last_modified = WallTime(Duration(fixed.last_modified));
  object_.version = texts.substr(fixed.range_size + fixed.etag_size);
  payload_size_ = fixed.payload_size;
  payload_hash_ = fixed.payload_hash;
  payload_at_ = header->size();
}

void EntryReader::ReadAhead() const {
  ::posix_fadvise(file_.get(), static_cast<off_t>(payload_at_), static_cast<off_t>(payload_size_),
                  POSIX_FADV_WILLNEED);
}

bool EntryReader::Read(std::span<uint8_t> memory) const {
  return ReadAt(file_.get(), memory, payload_at_) == memory.size() && HashPayload(memory) == payload_hash_;
}

uint64_t EntryReader::inode() const {
  struct stat status = {};
  if (::fstat(file_.get(), &status) != 0) throw PosixError(errno, "look at the cache");
  return status.st_ino;
}

bool IsWholeEntry(int file) {
  const std::optional<Header> header = ReadHeader(file);
  if (!header) return false;
  std::vector<uint8_t> piece(std::min<uint64_t>(kPiece, header->fixed.payload_size));
  PayloadHash hash;
  uint64_t at = 0;
  while (at < header->fixed.payload_size) {
    const std::span<uint8_t> memory =
        std::span(piece).first(std::min<uint64_t>(piece.size(), header->fixed.payload_size - at));
    if (ReadAt(file, memory, header->size() + at) != memory.size()) return false;
    hash.Add(memory);
    at += memory.size();
  }
  struct stat status = {};
  if (::fstat(file, &status) != 0) throw PosixError(errno, "look at the cache");
  return hash.value() == header->fixed.payload_hash &&
         static_cast<uint64_t>(status.st_size) == header->size() + at;
}

}  // namespace bucketline
