#include "bucketline/store/list_page.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Sorted keys; checks that `from` never goes back.
class VectorCursor : public KeyCursor {
 public:
  explicit VectorCursor(std::vector<std::string> keys) : keys_(std::move(keys)) {
    std::sort(keys_.begin(), keys_.end());
  }
  std::optional<ObjectInfo> Seek(const std::string& from) override {
    EXPECT_GE(from, last_);
    last_ = from;
    const auto it = std::lower_bound(keys_.begin(), keys_.end(), from);
    if (it == keys_.end()) return std::nullopt;
    return ObjectInfo{*it, 0, {}, {}};
  }

 private:
  std::vector<std::string> keys_;
  std::string last_;
};

ListPage PageOf(const ListRequest& request, std::vector<std::string> keys) {
  VectorCursor cursor(std::move(keys));
  return MakeListPage(request, cursor);
}

std::vector<std::string> Keys(const ListPage& page) {
  std::vector<std::string> keys;
  for (const ObjectInfo& object : page.objects) keys.push_back(object.key);
  return keys;
}

ListRequest Request(std::string delimiter, std::string token, int max_keys) {
  ListRequest request;
  request.delimiter = std::move(delimiter);
  request.token = std::move(token);
  request.max_keys = max_keys;
  return request;
}

ErrorCode CodeOf(const ListRequest& request) {
  const Result<void> result = Catch([&] { CheckListRequest(request); });
  return result.ok() ? ErrorCode::kInternal : result.error().code();
}

TEST(ListPage, TheEndOfAPrefixIsTheNextStringAboveAll) {
  EXPECT_EQ(EndOfPrefix("a/"), "a0");
  EXPECT_EQ(EndOfPrefix("a\xff"), "b");
  EXPECT_EQ(EndOfPrefix("\xff\xff"), "");
  EXPECT_EQ(EndOfPrefix(""), "");
  EXPECT_EQ(EndOfPrefix("\x7f"), "\x80") << "bytes are unsigned";
}

TEST(ListPage, StopsAtTheEndOfThePrefix) {
  ListRequest request;
  request.prefix = "b";
  EXPECT_THAT(Keys(PageOf(request, {"a", "b", "ba", "c"})), ElementsAre("b", "ba"));
}

TEST(ListPage, PagesJoinToTheWholeListing) {
  const std::vector<std::string> keys = {"a", "a/b", "a/c", "b", "b/1", "b/2", "c\xff", "\xff"};
  for (const std::string delimiter : {"", "/"}) {
    for (int max_keys = 1; max_keys <= 9; ++max_keys) {
      SCOPED_TRACE(delimiter + std::to_string(max_keys));
      ListRequest request;
      request.delimiter = delimiter;
      const ListPage whole = PageOf(request, keys);
      request.max_keys = max_keys;
      std::vector<std::string> objects;
      std::vector<std::string> prefixes;
      do {
        const ListPage page = PageOf(request, keys);
        ASSERT_LE(page.objects.size() + page.prefixes.size(), static_cast<size_t>(max_keys));
        for (const std::string& key : Keys(page)) objects.push_back(key);
        prefixes.insert(prefixes.end(), page.prefixes.begin(), page.prefixes.end());
        request.token = page.next_token;
      } while (!request.token.empty());
      EXPECT_EQ(objects, Keys(whole));
      EXPECT_EQ(prefixes, whole.prefixes);
    }
  }
}

TEST(ListPage, TokensAreHexadecimal) {
  ListRequest request;
  request.max_keys = 1;
  const ListPage page = PageOf(request, {"a", std::string("k\x01\xff")});
  EXPECT_EQ(page.next_token, "6b01ff");
}

TEST(ListPage, ATokenBeatsStartAfter) {
  ListRequest request;
  request.start_after = "z";
  request.token = "62";  // "b"
  EXPECT_EQ(FirstKeyOf(request), "b");
}

TEST(ListPage, TheFirstKeyIsNeverBelowThePrefix) {
  ListRequest request;
  request.prefix = "p";
  request.start_after = "a";
  EXPECT_EQ(FirstKeyOf(request), "p");
  request.start_after = "pa";
  EXPECT_EQ(FirstKeyOf(request), std::string("pa\0", 3));
}

TEST(ListPage, RefusesWhatMakesNoSense) {
  EXPECT_EQ(CodeOf(Request("", "", 0)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Request("", "", 1001)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Request("//", "", 1)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Request("", "6", 1)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Request("", "6g", 1)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(Request("", "6A", 1)), ErrorCode::kInvalidArgument) << "tokens are lower case";
  EXPECT_NO_THROW(CheckListRequest(Request("/", "61", 1000)));
}

TEST(ListPage, NothingGivesAnEmptyPage) {
  const ListPage page = PageOf({}, {});
  EXPECT_THAT(page.objects, IsEmpty());
  EXPECT_EQ(page.next_token, "");
}

}  // namespace
}  // namespace bucketline
