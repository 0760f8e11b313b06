#include "bucketline/store/mapped_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "bucketline/base/result.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

ErrorCode CodeOf(const std::string& path) {
  const auto mapped = Catch([&] { return MapFile(path); });
  return mapped.ok() ? ErrorCode::kInternal : mapped.error().code();
}

TEST(MappedFile, ItsBytesOutliveItsName) {
  const testing::TempFolder folder;
  const std::string path = folder.Path("f");
  std::ofstream(path) << "some bytes";
  const Bytes bytes = MapFile(path);
  const Bytes part = bytes.Slice(5, 5);
  std::filesystem::remove(path);
  EXPECT_EQ(bytes.view(), "some bytes");
  EXPECT_EQ(part.view(), "bytes");
}

TEST(MappedFile, WhatCannotBeMappedIsAnError) {
  const testing::TempFolder folder;
  std::ofstream(folder.Path("empty")).flush();
  EXPECT_EQ(MapFile(folder.Path("empty")).size(), 0u);
  EXPECT_EQ(CodeOf(folder.Path("absent")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(folder.path()), ErrorCode::kInvalidArgument);
  ASSERT_EQ(::mkfifo(folder.Path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(CodeOf(folder.Path("fifo")), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bucketline
