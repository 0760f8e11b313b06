// ListSchedule: which pages of a listing to ask for next, when several may be under way. Decides and remembers; asks
// nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bucketline/store/key_space.h"
#include "bucketline/store/list_forecast.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// All objects of the listed prefix whose keys are in `range`, ascending.
struct ListedRange {
  std::vector<ObjectInfo> objects;
  KeyRange range;
  std::optional<uint64_t> left =
      {};  // objects still to come in the whole listing, about; nullopt: nobody can tell yet
};

// The keys are cut into ranges, each listed page after page by its own requests. Whoever has nothing to do takes the upper
// half of the range that seems to have most left: at a folder's beginning where folders are known (one request with a
// delimiter tells a thousand), else somewhere between two keys. A guess may find nothing: of those there are at most as
// many as pages that found something, in a long listing a quarter of that, and none before two pages came. Not
// thread-safe.
class ListSchedule {
 public:
  // `ranges`: ascending and disjoint; keys elsewhere are not listed. `width`: requests under way at a time; with 1
  // nothing is ever guessed. `page_keys`: what a full page holds.
  ListSchedule(std::string prefix, std::vector<KeyRange> ranges, size_t width, int page_keys = 1000);

  struct Ask {
    uint64_t id = 0;
    bool folders = false;  // with the delimiter "/"; else a page of objects
    std::string prefix;
    std::string start_after;
    std::string token;
  };
  // The next request; nullopt when none may be sent before an answer comes, or at all. Every Ask is answered by one of
  // those below.
  std::optional<Ask> Next();

  // Throws kUnsupported when keys came out of order.
  ListedRange TakePage(uint64_t id, ListPage page);
  void TakeFolders(uint64_t id, const ListPage& page);
  void FoldersFailed(uint64_t id);  // then none are asked for again

  // About how many pages there are still to come, by how far the pages so far went through the keys that may be there;
  // nullopt while too little is known. Folders that nothing has hinted at are not in it.
  std::optional<double> PagesLeft() const { return forecast_.Left(); }

  // Everything is listed. Folders may still be asked for, which is of no use any more.
  bool done() const { return segments_.empty(); }

 private:
  struct Segment {
    uint64_t id = 0;
    std::string start = {};    // where its first request began
    KeyRange rest = {};        // what is not listed yet
    std::string token = {};    // of its next page
    bool asked = false;        // a request is under way
    bool guess = false;        // made by a split and not answered yet
    bool open = true;          // no key is known above its last one, or none is there
    bool catching_up = false;  // the store did not begin at `start`, and is not there yet
    bool stuck = false;        // cannot be split before its next page
    size_t depth = 0;          // of its latest page: how many characters all keys share; `deepest` at most
    size_t deepest = ~size_t{0};
    double pages = 0;       // since `start`
    double pages_left = 0;  // about, to compare it with others
    ListForecast::Part* part = nullptr;
  };

  Ask AskFor(Segment& segment);
  bool MayGuess() const;
  std::optional<Ask> Guess();
  std::optional<Ask> Split(Segment& segment);
  KeyRange RoomOf(const Segment& segment) const;
  std::optional<std::string> FolderBetween(const KeyRange& room) const;
  std::optional<std::string> MiddleOf(const Segment& segment, const KeyRange& room) const;
  std::optional<double> Estimate(Segment& segment) const;
  void GiveBack(const Segment& empty);

  const std::string prefix_;
  const size_t width_;
  const double page_keys_;
  KeySpace space_;
  ListForecast forecast_;
  std::map<uint64_t, Segment> segments_;  // not finished
  std::map<uint64_t, std::string> folder_asks_;
  std::set<std::string> folders_asked_;
  std::set<std::string> folders_;            // known beginnings
  std::map<std::string, std::string> ends_;  // of a folder: no key of it is above this one
  uint64_t next_id_ = 0;
  size_t under_way_ = 0;
  size_t guesses_ = 0;           // under way
  double useful_ = 0;            // pages' worth of objects
  double wasted_ = 0;            // and what guesses cost
  bool may_split_ = true;        // the store begins where it is told to
  bool may_ask_folders_ = true;  // it never refused to
};

}  // namespace bucketline
