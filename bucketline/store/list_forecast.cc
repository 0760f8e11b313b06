#include "bucketline/store/list_forecast.h"

#include <algorithm>
#include <utility>

namespace bucketline {
namespace {

constexpr double kMostGuessed = 0.5;  // of the whole

}  // namespace

ListForecast::Part& ListForecast::Add() { return *wholes_.emplace_back(std::make_unique<Part>()); }

std::unique_ptr<ListForecast::Part>& ListForecast::OwnerOf(const Part& part) {
  if (part.above_ != nullptr)
    return part.above_->lower_.get() == &part ? part.above_->lower_ : part.above_->upper_;
  return *std::ranges::find(wholes_, &part, &std::unique_ptr<Part>::get);
}

ListForecast::Part& ListForecast::Split(Part& part) {
  std::unique_ptr<Part>& owner = OwnerOf(part);
  auto whole = std::make_unique<Part>();
  whole->above_ = std::exchange(part.above_, whole.get());
  whole->given_ = std::exchange(part.given_, 0);
  whole->lower_ = std::move(owner);
  whole->upper_ = std::make_unique<Part>();
  whole->upper_->above_ = whole.get();
  if (part.left_) part.Guess(*part.left_ / 2);
  owner = std::move(whole);
  return *owner->upper_;
}

void ListForecast::Gave(Part& part, double pages, std::optional<double> left) {
  part.given_ += pages;
  part.left_ = left;
  part.is_guess_ = false;
}

// The other half is what is left of both.
void ListForecast::Ended(Part& part, double pages) {
  if (part.above_ == nullptr) {
    std::erase_if(wholes_, [&part](const auto& whole) { return whole.get() == &part; });
    return;
  }
  Part& whole = *part.above_;
  std::unique_ptr<Part> other = std::move(whole.lower_.get() == &part ? whole.upper_ : whole.lower_);
  const double given = part.given_ + pages;
  if (other->lower_ == nullptr && !other->left_) other->Guess(given);
  other->given_ += whole.given_ + given;
  other->above_ = whole.above_;
  OwnerOf(whole) = std::move(other);
}

void ListForecast::Part::Guess(double left) {
  left_ = left;
  is_guess_ = true;
}

std::optional<ListForecast::Part::Sum> ListForecast::Part::Expected() const {
  if (lower_ == nullptr) {
    if (!left_) return std::nullopt;
    return Sum{.given = given_, .left = *left_, .guessed = is_guess_ ? *left_ : 0};
  }
  std::optional<Sum> lower = lower_->Expected();
  std::optional<Sum> upper = upper_->Expected();
  if (!lower && !upper) return std::nullopt;
  if (!lower) lower = upper->AsGuess();
  if (!upper) upper = lower->AsGuess();
  return Sum{.given = given_ + lower->given + upper->given,
             .left = lower->left + upper->left,
             .guessed = lower->guessed + upper->guessed};
}

std::optional<double> ListForecast::Left() const {
  Part::Sum all;
  for (const std::unique_ptr<Part>& whole : wholes_) {
    const std::optional<Part::Sum> sum = whole->Expected();
    if (!sum) return std::nullopt;
    all = {all.given + sum->given, all.left + sum->left, all.guessed + sum->guessed};
  }
  if (all.guessed > kMostGuessed * (all.given + all.left)) return std::nullopt;
  return all.left;
}

}  // namespace bucketline
