#include "bucketline/base/bytes.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(Bytes, ReleaseIsCalledOnceWhenTheLastSliceGoes) {
  static const uint8_t kData[] = {1, 2, 3, 4};
  int released = 0;
  {
    Bytes slice;
    {
      Bytes whole = Bytes::WithRelease(kData, sizeof(kData), [&] { ++released; });
      slice = whole.Slice(1, 2);
    }
    EXPECT_EQ(released, 0);
    EXPECT_EQ(slice.size(), 2u);
    EXPECT_EQ(slice.data()[0], 2);
  }
  EXPECT_EQ(released, 1);
}

TEST(Bytes, CopyOwnsItsText) {
  std::string text = "abc";
  const Bytes bytes = Bytes::Copy(text);
  text = "xyz";
  EXPECT_EQ(bytes.view(), "abc");
  EXPECT_EQ(bytes.ToString(), "abc");
}

TEST(Bytes, FromVectorTakesTheMemoryWithoutCopying) {
  std::vector<uint8_t> vector = {1, 2, 3};
  const uint8_t* data = vector.data();
  const Bytes bytes = Bytes::FromVector(std::move(vector));
  EXPECT_EQ(bytes.data(), data);
  EXPECT_EQ(bytes.span().size(), 3u);
  EXPECT_EQ(bytes.Slice(3, 0).size(), 0u);
}

TEST(Bytes, CopiesShareTheMemoryAndItsEnd) {
  auto owner = std::make_shared<std::string>("abc");
  const std::weak_ptr<std::string> watch = owner;
  const auto* data = reinterpret_cast<const uint8_t*>(owner->data());
  Bytes first(std::move(owner), data, 3);
  Bytes second = first;
  EXPECT_EQ(second.data(), first.data());
  first = Bytes();
  EXPECT_EQ(second.view(), "abc");
  second = Bytes();
  EXPECT_TRUE(watch.expired());
}

TEST(Bytes, AnEmptyRangeIsReleasedToo) {
  int released = 0;
  Bytes::WithRelease(nullptr, 0, [&] { ++released; });
  EXPECT_EQ(released, 1);
}

TEST(Bytes, DefaultIsEmpty) {
  EXPECT_TRUE(Bytes().empty());
  EXPECT_EQ(Bytes().view(), "");
}

}  // namespace
}  // namespace bucketline
