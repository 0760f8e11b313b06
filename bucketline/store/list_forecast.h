// ListForecast: how many pages a listing has still to come, from what its parts gave and seem to have left.
#pragma once

#include <memory>
#include <optional>
#include <vector>

namespace bucketline {

// A listing is cut into parts again and again, each in two halves. Of a half that nobody has answered for yet is expected what
// the other one turned out to have: what seemed to be left before, from a page or two, was often far off. In pages. Not
// thread-safe.
class ListForecast {
 public:
  // Lives until it has ended, as long as the forecast does.
  class Part;

  // A part of which nothing is known, beside those that are there.
  Part& Add();

  // `part` is its lower half from now on; the upper half.
  Part& Split(Part& part);

  // It gave `pages`, and seems to have `left` more; nullopt: that cannot be told.
  static void Gave(Part& part, double pages, std::optional<double> left);

  // It gave `pages`, the last ones, and is a part no more.
  void Ended(Part& part, double pages);

  // nullopt: nothing is known of some part and of all that it was cut from, or half of the whole would be a guess.
  std::optional<double> Left() const;

 private:
  std::unique_ptr<Part>& OwnerOf(const Part& part);

  std::vector<std::unique_ptr<Part>> wholes_;
};

// A leaf of a tree of halves; those above it are of this class too.
class ListForecast::Part {
 private:
  friend class ListForecast;

  struct Sum {
    double given = 0;
    double left = 0;
    double guessed = 0;  // of what is left

    // Of another part that is as large.
    Sum AsGuess() const { return {.given = 0, .left = given + left, .guessed = given + left}; }
  };
  void Guess(double left);
  // nullopt: of none of its halves anything is known.
  std::optional<Sum> Expected() const;

  Part* above_ = nullptr;
  std::unique_ptr<Part> lower_;
  std::unique_ptr<Part> upper_;
  double given_ = 0;            // while it was one part
  std::optional<double> left_;  // of a leaf
  bool is_guess_ = false;       // `left_` is; what was known before a split is one after it
};

}  // namespace bucketline
