#include "bucketline/store/key_space.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

KeySpace Knowing(std::string prefix, std::vector<std::string> keys) {
  KeySpace space(std::move(prefix));
  for (const std::string& key : keys) space.Observe(key);
  return space;
}

TEST(KeySpace, TheMiddleOfNumbersIsANumber) {
  const KeySpace space = Knowing("p/", {"p/000000", "p/000999"});
  EXPECT_EQ(space.Middle({.after = "p/000999", .last = "p/900000"}), "p/4");
  EXPECT_EQ(space.Middle({.after = "p/120000", .last = "p/130000"}), "p/125");
  const auto close = space.Middle({.after = "p/129999", .last = "p/130000"});
  ASSERT_TRUE(close);
  EXPECT_EQ(close->substr(0, 8), "p/129999");
}

TEST(KeySpace, DigitsBeforeTheLettersOfAHexadecimalNumberAreItsOwn) {
  const KeySpace hexadecimal = Knowing("p/", {"p/001f.jpg", "p/0034.jpg"});
  EXPECT_EQ(hexadecimal.Middle({.after = "p/0f", .last = {}}), "p/8");
  EXPECT_NEAR(hexadecimal.Position("p/8", {.after = "p/0", .last = {}}), 0.5, 0.01);
  for (const char* other : {"p/001g.jpg", "p/0012.abc", "p/00_1f.jpg"}) {
    EXPECT_EQ(Knowing("p/", {other}).Middle({.after = "p/0f", .last = {}}), "p/5") << other;
  }
}

TEST(KeySpace, WithoutALastKeyItEndsWithThePrefix) {
  const KeySpace space = Knowing("p/", {"p/0ab"});
  const auto middle = space.Middle({.after = "p/0ab"});
  ASSERT_TRUE(middle);
  EXPECT_EQ(middle->substr(0, 2), "p/");
  EXPECT_GT(*middle, "p/0ab");
  EXPECT_EQ(middle->size(), 3u) << *middle;
}

TEST(KeySpace, WhereNothingFitsThereIsNoMiddle) {
  const KeySpace space = Knowing("", {"a"});
  EXPECT_EQ(space.Middle({.after = "b", .last = "a"}), std::nullopt);
  EXPECT_EQ(space.Middle({.after = "a", .last = "a"}), std::nullopt);
  EXPECT_EQ(space.Middle({.after = "\xc3\xa4", .last = "\xc3\xa5"}), std::nullopt);
}

TEST(KeySpace, AMiddleDoesNotCutACharacterOfSeveralBytes) {
  const KeySpace space = Knowing("", {"x\xc3\xa4/1", "x\xc3\xa5/2"});
  const auto middle = space.Middle({.after = "x\xc3\xa4/1", .last = "x\xc3\xa5/2"});
  EXPECT_EQ(middle, std::nullopt);  // all that is between begins with a part of such a character
  EXPECT_EQ(space.Middle({.after = "x\xc3\xa4/1", .last = "x\xc3\xa4/9"}), "x\xc3\xa4/5");
}

TEST(KeySpace, AMiddleIsAlwaysStrictlyBetween) {
  CounterRng random(7, 0, 0);
  const std::string letters = "0019af/z_.-A~ \x01\xc3\xff";
  const auto key = [&] {
    std::string made;
    for (uint64_t n = random.NextBelow(6); n > 0; --n) made += letters[random.NextBelow(letters.size())];
    return made;
  };
  size_t found = 0;
  for (int round = 0; round < 20000; ++round) {
    KeySpace space("");
    for (int i = 0; i < 3; ++i) space.Observe(key());
    KeyRange range{.after = key(), .last = key()};
    if (random.NextBelow(8) == 0) range.last.reset();
    const auto middle = space.Middle(range);
    if (!middle) continue;
    ++found;
    EXPECT_GT(*middle, range.after);
    if (range.last) {
      EXPECT_LT(*middle, *range.last);
    }
    EXPECT_TRUE(std::none_of(middle->begin(), middle->end(), [](char c) { return c == 0; }));
  }
  EXPECT_GT(found, 5000u);
}

TEST(KeySpace, APositionIsHowFarAKeyIs) {
  const KeySpace space = Knowing("", {"0000", "9999"});
  const KeyRange range{.after = "0000", .last = "9999"};
  EXPECT_NEAR(space.Position("2500", range), 0.25, 0.06);
  EXPECT_NEAR(space.Position("7500", range), 0.75, 0.06);
  EXPECT_EQ(space.Position("0000", range), 0);
  EXPECT_EQ(space.Position("9999", range), 1);
}

TEST(KeySpace, CommonFolders) {
  EXPECT_EQ(CommonFolder("a/", {.after = "a/b/1", .last = "a/b/2"}), "a/b/");
  EXPECT_EQ(CommonFolder("a/", {.after = "a/b1/1", .last = "a/b2/2"}), "a/");
  EXPECT_EQ(CommonFolder("a/b", {.after = "a/b1/1", .last = "a/b2/2"}), "a/b");
  EXPECT_EQ(CommonFolder("a/", {.after = "a/b/1"}), "a/");
  EXPECT_EQ(CommonFolder("a/", {.after = "", .last = "a/b"}), "a/");
}

}  // namespace
}  // namespace bucketline
