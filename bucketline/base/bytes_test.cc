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

TEST(Bytes, DefaultIsEmpty) {
  EXPECT_TRUE(Bytes().empty());
  EXPECT_EQ(Bytes().view(), "");
}

}  // namespace
}  // namespace bucketline
