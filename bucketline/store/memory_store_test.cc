#include "bucketline/store/memory_store.h"

#include <gtest/gtest.h>

#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

// The rest of its behaviour is held by tests/contract.

TEST(MemoryStore, ETagsAreQuotedMd5sAsThoseOfS3) {
  const auto store = MakeMemoryStore("m");
  EXPECT_EQ(PutBytes(*store, "k", "").etag, "\"d41d8cd98f00b204e9800998ecf8427e\"");
  EXPECT_EQ(PutBytes(*store, "k", "abc").etag, "\"900150983cd24fb0d6963f7d28e17f72\"");
}

TEST(MemoryStore, UrisNameTheStore) { EXPECT_EQ(MakeMemoryStore("m")->UriOf("a/b"), "mem://m/a/b"); }

TEST(MemoryStore, KeysHaveAtMost1024Bytes) {
  const auto store = MakeMemoryStore("m");
  EXPECT_NO_THROW(PutBytes(*store, std::string(1024, 'k'), "x"));
  EXPECT_THROW(store->OpenWriter(std::string(1025, 'k')), Error);
}

TEST(MemoryStore, StoresOfOneNameAreApart) {
  const auto one = MakeMemoryStore("m");
  const auto two = MakeMemoryStore("m");
  PutBytes(*one, "k", "x");
  EXPECT_TRUE(ListAll(*two, "").empty());
}

}  // namespace
}  // namespace bucketline
