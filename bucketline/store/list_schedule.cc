#include "bucketline/store/list_schedule.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr double kPagesBeforeGuesses = 2;
constexpr double kFreeGuesses = 32;
constexpr double kGuessesOfPages = 0.25;
constexpr double kLeastPagesLeft = 3;  // of a range worth halving, the page under way included
// For each page that came: what seems to have more is not to draw all guesses to itself, nor to be told.
constexpr double kMostPagesLeft = 100;
constexpr double kMostPagesTold = 1000;
constexpr size_t kMostFolderAsks = 16;
constexpr size_t kObserveEach = 8;  // keys

}  // namespace

ListSchedule::ListSchedule(std::string prefix, std::vector<KeyRange> ranges, size_t width, int page_keys)
    : prefix_(std::move(prefix)), width_(std::max<size_t>(width, 1)), page_keys_(page_keys), space_(prefix_) {
  for (KeyRange& range : ranges) {
    Segment segment{
        .id = next_id_++, .start = range.after, .rest = std::move(range), .part = &forecast_.Add()};
    segments_.emplace(segment.id, std::move(segment));
  }
}

std::optional<ListSchedule::Ask> ListSchedule::Next() {
  if (under_way_ >= width_) return std::nullopt;
  for (auto& [id, segment] : segments_) {
    if (!segment.asked) return AskFor(segment);
  }
  return Guess();
}

ListSchedule::Ask ListSchedule::AskFor(Segment& segment) {
  segment.asked = true;
  ++under_way_;
  return {.id = segment.id,
          .folders = false,
          .prefix = prefix_,
          .start_after = segment.token.empty() ? segment.rest.after : "",
          .token = segment.token};
}

bool ListSchedule::MayGuess() const {
  if (width_ == 1 || !may_split_ || useful_ < kPagesBeforeGuesses) return false;
  return wasted_ + static_cast<double>(guesses_) <
         std::min(useful_, kFreeGuesses + useful_ * kGuessesOfPages);
}

std::optional<ListSchedule::Ask> ListSchedule::Guess() {
  while (MayGuess()) {
    Segment* most = nullptr;
    for (auto& [id, segment] : segments_) {
      if (segment.stuck || segment.pages_left < kLeastPagesLeft) continue;
      if (most == nullptr || segment.pages_left > most->pages_left) most = &segment;
    }
    if (most == nullptr) return std::nullopt;
    if (std::optional<Ask> ask = Split(*most)) return ask;
    most->stuck = true;
  }
  return std::nullopt;
}

// Where its keys may be, by what is known of folders.
KeyRange ListSchedule::RoomOf(const Segment& segment) const {
  KeyRange room = segment.rest;
  for (;;) {
    const auto end = ends_.find(CommonFolder(prefix_, room));
    if (end == ends_.end() || end->second <= room.after || (room.last && end->second >= *room.last)) {
      return room;
    }
    room.last = end->second;
  }
}

std::optional<std::string> ListSchedule::FolderBetween(const KeyRange& room) const {
  const auto first = folders_.upper_bound(room.after);
  const auto last = room.last ? folders_.lower_bound(*room.last) : folders_.end();
  // A room that ends before it begins has none.
  if (first == folders_.end() || (last != folders_.end() && *last <= *first)) return std::nullopt;
  return *std::next(first, std::distance(first, last) / 2);
}

// While nobody knows where the keys end, and the room is much wider than what the latest page spanned: half as many
// characters are kept as that page's keys share. Whether anything is beyond bounds the keys, or finds those that lie far
// off, in few steps. Otherwise half-way.
std::optional<std::string> ListSchedule::MiddleOf(const Segment& segment, const KeyRange& room) const {
  const std::string& after = room.after;
  const size_t common = CommonLength(room, prefix_.size());
  const size_t kept = (common + segment.depth) / 2;
  if (segment.open && kept > common && kept < after.size() && after[kept] > ' ' && after[kept] < '~') {
    std::string next = after.substr(0, kept);
    next.push_back(static_cast<char>(after[kept] + 1));
    if (!room.last || next < *room.last) return next;
  }
  return space_.Middle(room);
}

std::optional<ListSchedule::Ask> ListSchedule::Split(Segment& segment) {
  const KeyRange room = RoomOf(segment);
  std::optional<std::string> middle = FolderBetween(room);
  const std::string folder = CommonFolder(prefix_, room);
  const bool has_folders = segment.rest.after.find('/', folder.size()) != std::string::npos;
  const bool may_ask = may_ask_folders_ && folders_asked_.size() < kMostFolderAsks;
  if (!middle && has_folders && may_ask && !folders_asked_.contains(folder)) {
    const uint64_t id = next_id_++;
    folders_asked_.insert(folder);
    folder_asks_.emplace(id, folder);
    ++under_way_;
    ++guesses_;
    return Ask{.id = id, .folders = true, .prefix = folder, .start_after = segment.rest.after, .token = ""};
  }
  if (!middle) middle = MiddleOf(segment, room);
  if (!middle) return std::nullopt;
  segment.pages_left /= 2;
  Segment upper{.id = next_id_++,
                .start = *middle,
                .rest = {.after = *middle, .last = segment.rest.last},
                .token = "",
                .guess = true,
                .open = segment.open,
                .deepest = segment.open ? CommonLength({segment.rest.after, middle}, 0) : segment.deepest,
                .pages_left = segment.pages_left,
                .part = &forecast_.Split(*segment.part)};
  segment.start = segment.rest.after;
  segment.rest.last = *std::move(middle);
  segment.pages = 0;
  segment.open = false;
  ++guesses_;
  return AskFor(segments_.emplace(upper.id, std::move(upper)).first->second);
}

ListedRange ListSchedule::TakePage(uint64_t id, ListPage page) {
  Segment& segment = segments_.at(id);
  --under_way_;
  segment.asked = segment.stuck = false;
  const bool was_guess = std::exchange(segment.guess, false);
  if (was_guess) --guesses_;
  std::vector<ObjectInfo>& objects = page.objects;
  const auto by_key = [](const std::string& key, const ObjectInfo& object) { return key < object.key; };
  const auto first = std::upper_bound(objects.begin(), objects.end(), segment.rest.after, by_key);
  if (first != objects.begin()) {
    if (!segment.token.empty() && !segment.catching_up) {
      throw Error(ErrorCode::kUnsupported,
                  "the store lists keys out of bytewise order; it cannot be read as a data set");
    }
    may_split_ = false;
    segment.catching_up = first == objects.end();
    objects.erase(objects.begin(), first);
  }
  const double given = static_cast<double>(objects.size());
  const auto end = segment.rest.last
                       ? std::upper_bound(objects.begin(), objects.end(), *segment.rest.last, by_key)
                       : objects.end();
  const bool at_last = end != objects.begin() && segment.rest.last == std::prev(end)->key;
  const bool finished = at_last || end != objects.end() || page.next_token.empty();
  objects.erase(end, objects.end());
  const double kept = static_cast<double>(objects.size());
  if (finished) {
    wasted_ += was_guess ? 1 - kept / page_keys_ : (given - kept) / page_keys_;
    useful_ += kept / page_keys_;
  } else {
    useful_ += 1;
  }
  for (size_t i = 0; i < objects.size(); i += kObserveEach) space_.Observe(objects[i].key);
  ListedRange listed{.objects = std::move(objects), .range = segment.rest};
  if (finished) {
    if (was_guess && listed.objects.empty()) GiveBack(segment);
    forecast_.Ended(*segment.part, kept / page_keys_);
    segments_.erase(id);
    return listed;
  }
  if (!listed.objects.empty()) {
    segment.rest.after = listed.objects.back().key;
    const size_t shared = CommonLength({.after = listed.objects.front().key, .last = segment.rest.after}, 0);
    segment.depth = std::min(shared, segment.deepest);
  }
  listed.range.last = segment.rest.after;
  segment.token = std::move(page.next_token);
  ListForecast::Gave(*segment.part, kept / page_keys_, Estimate(segment));
  return listed;
}

// By how far the pages so far went; a range that gave many pages has some left, whatever that says. The result may be told,
// unless it is too much to follow from so few pages.
std::optional<double> ListSchedule::Estimate(Segment& segment) const {
  segment.pages += 1;
  KeyRange whole = RoomOf(segment);
  const std::string here = std::exchange(whole.after, segment.start);
  const double done = space_.Position(here, whole);
  const double most = segment.pages * kMostPagesTold;
  const double by_position = done > 0 ? segment.pages * (1 - done) / done : most;
  const double left = std::clamp(by_position, segment.pages / 4, most);
  segment.pages_left = std::min(left, segment.pages * kMostPagesLeft);
  return left < most ? std::optional(left) : std::nullopt;
}

// What was expected of it is in the range before it.
void ListSchedule::GiveBack(const Segment& empty) {
  for (auto& [id, segment] : segments_) {
    if (segment.rest.last != empty.start) continue;
    segment.pages_left += empty.pages_left;
    segment.open = true;
  }
}

void ListSchedule::TakeFolders(uint64_t id, const ListPage& page) {
  --under_way_;
  --guesses_;
  wasted_ += 1;
  const std::string folder = std::move(folder_asks_.extract(id).mapped());
  folders_.insert(page.prefixes.begin(), page.prefixes.end());
  const std::string last_folder = page.prefixes.empty() ? "" : page.prefixes.back() + '\xff';
  const std::string last_key = page.objects.empty() ? "" : page.objects.back().key;
  if (page.next_token.empty() && (!page.prefixes.empty() || !page.objects.empty())) {
    ends_[folder] = std::max(last_folder, last_key);
  }
  for (auto& [segment_id, segment] : segments_) segment.stuck = false;
}

void ListSchedule::FoldersFailed(uint64_t id) {
  --under_way_;
  --guesses_;
  wasted_ += 1;
  folder_asks_.erase(id);
  may_ask_folders_ = false;
}

}  // namespace bucketline
