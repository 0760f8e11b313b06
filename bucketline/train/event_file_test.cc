// What TensorFlow itself reads of these bytes is tested in python/tests/test_train_tensorboard.py.
#include "bucketline/train/event_file.h"

#include <gtest/gtest.h>

#include "bucketline/base/hash.h"

namespace bucketline {
namespace {

std::string HexOf(std::string_view text) {
  return Hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(EventFile, ARecordIsLengthCrcDataCrc) {
  std::string file = "before";
  AppendRecord("abc", file);
  ASSERT_EQ(file.size(), 6u + 8 + 4 + 3 + 4);
  EXPECT_EQ(HexOf(file.substr(6, 8)), "0300000000000000");
  EXPECT_EQ(file.substr(6 + 12, 3), "abc");
}

// Bytes that TensorFlow's protobuf gave for the same messages.
TEST(EventFile, EventsAreSerialisedAsProtobufDoes) {
  EXPECT_EQ(HexOf(FileVersionEvent(1.5)), "09000000000000f83f1a0d627261696e2e4576656e743a32");
  EXPECT_EQ(HexOf(ScalarEvent(1.5, 300, "loss", 0.5f)),
            "09000000000000f83f10ac022a0d0a0b0a046c6f7373150000003f");
  EXPECT_EQ(HexOf(SessionStartEvent(1.5, 7)), "09000000000000f83f10073a020801");
}

}  // namespace
}  // namespace bucketline
