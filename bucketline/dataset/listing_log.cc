#include "bucketline/dataset/listing_log.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/records/key_codec.h"
#include "bucketline/records/varint.h"
#include "bucketline/store/mapped_file.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

// An entry: 8 bytes size of the payload, 8 bytes its checksum, the payload. That of the first is this and the name of the
// listing; of the others, a page.
constexpr std::string_view kMagic = "bucketline listing 1\n";

std::string Encode(const ListedRange& listed) {
  std::string out;
  AppendSized(&out, listed.range.after);
  AppendVarint(&out, listed.range.last ? 1 : 0);
  if (listed.range.last) AppendSized(&out, *listed.range.last);
  AppendVarint(&out, listed.objects.size());
  std::string_view previous;
  for (const ObjectInfo& object : listed.objects) {
    AppendKey(&out, object.key, previous);
    AppendVarint(&out, object.size);
    AppendSized(&out, object.etag);
    AppendSized(&out, object.version);
    previous = object.key;
  }
  return out;
}

ListedRange Decode(std::string_view payload) {
  ByteReader reader(payload);
  ListedRange listed;
  listed.range.after = reader.Sized();
  if (reader.Varint() != 0) listed.range.last = reader.Sized();
  std::string key;
  for (uint64_t left = reader.Varint(); left > 0; --left) {
    ReadKey(&reader, &key);
    ObjectInfo object;
    object.key = key;
    object.size = reader.Varint();
    object.etag = reader.Sized();
    object.version = reader.Sized();
    listed.objects.push_back(std::move(object));
  }
  return listed;
}

// The next whole entry's payload; nullopt, and nothing taken, where none is.
std::optional<std::string_view> NextEntry(std::string_view* rest) {
  constexpr size_t kHead = 16;
  if (rest->size() < kHead) return std::nullopt;
  ByteReader reader(*rest);
  const uint64_t size = reader.Fixed64();
  const uint64_t checksum = reader.Fixed64();
  if (size > reader.left()) return std::nullopt;
  const std::string_view payload = reader.Take(size);
  if (StableHash64(payload) != checksum) return std::nullopt;
  rest->remove_prefix(kHead + size);
  return payload;
}

[[noreturn]] void ThrowNoLog(const std::string& path) {
  throw Error(ErrorCode::kInvalidArgument, "this is no state of a listing; remove it, or choose another",
              path);
}

}  // namespace

ListingLog::ListingLog(std::string path, std::string_view listing)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (!file_) throw PosixError(errno, "open the state of the listing", path_);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(ErrorCode::kUnavailable, "another process is listing into this file", path_);
  }
  const std::string name = std::string(kMagic) + std::string(listing);
  const Bytes there = MapFile(path_);
  std::string_view rest = there.view();
  const std::optional<std::string_view> first = NextEntry(&rest);
  if (first && *first == name) return;
  // What was killed before its first entry was whole holds nothing.
  if (!first && there.size() < 16 + name.size()) {
    if (::ftruncate(file_.get(), 0) != 0) throw PosixError(errno, "cut the state of the listing", path_);
    Write(name);
    return;
  }
  if (!first || !first->starts_with(kMagic)) ThrowNoLog(path_);
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("this is the state of another listing, \"{}\"; remove it, or choose another",
                          first->substr(kMagic.size())),
              path_);
}

void ListingLog::Replay(const std::function<void(ListedRange listed)>& take) {
  uint64_t whole = 0;
  {
    const Bytes there = MapFile(path_);
    std::string_view rest = there.view();
    NextEntry(&rest);
    while (const std::optional<std::string_view> payload = NextEntry(&rest)) {
      ListedRange listed = Decode(*payload);
      done_.push_back(listed.range);
      take(std::move(listed));
    }
    whole = there.size() - rest.size();
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) {
    throw PosixError(errno, "cut the state of the listing", path_);
  }
}

void ListingLog::Append(const ListedRange& listed) {
  Write(Encode(listed));
  done_.push_back(listed.range);
}

std::vector<KeyRange> ListingLog::Missing() const { return Gaps(done_); }

void ListingLog::Write(std::string_view payload) {
  std::string entry;
  AppendFixed64(&entry, payload.size());
  AppendFixed64(&entry, StableHash64(payload));
  entry += payload;
  for (std::string_view rest = entry; !rest.empty();) {
    const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw PosixError(errno, "write the state of the listing", path_);
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

void RemoveListingLog(const std::string& path) {
  const Result<Bytes> there = Catch([&] { return MapFile(path); });
  if (!there) {
    if (there.error().code() == ErrorCode::kNotFound) return;
    throw there.error();
  }
  std::string_view rest = there->view();
  const std::optional<std::string_view> first = NextEntry(&rest);
  if (!there->empty() && !(first && first->starts_with(kMagic))) ThrowNoLog(path);
  if (::unlink(path.c_str()) != 0) throw PosixError(errno, "remove the state of the listing", path);
}

std::vector<KeyRange> Gaps(std::vector<KeyRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const KeyRange& a, const KeyRange& b) { return a.after < b.after; });
  std::vector<KeyRange> gaps;
  std::string covered;
  for (const KeyRange& range : ranges) {
    if (range.after > covered) gaps.push_back({.after = covered, .last = range.after});
    if (!range.last) return gaps;
    covered = std::max(covered, *range.last);
  }
  gaps.push_back({.after = covered, .last = {}});
  return gaps;
}

}  // namespace bucketline
