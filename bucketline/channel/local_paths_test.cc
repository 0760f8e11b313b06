#include "bucketline/channel/local_paths.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"
#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

TEST(PathStart, IsAfterTheLastSlashOfThePrefix) {
  EXPECT_EQ(PathStart(""), 0u);
  EXPECT_EQ(PathStart("train"), 0u);
  EXPECT_EQ(PathStart("data/train"), 5u);
  EXPECT_EQ(PathStart("data/train/"), 11u);
  EXPECT_EQ(PathStart("/"), 1u);
}

TEST(PathProblem, NamesWhatNoFileMayHave) {
  EXPECT_EQ(PathProblem("a"), "");
  EXPECT_EQ(PathProblem("a/.b/...c/d.."), "");
  EXPECT_EQ(PathProblem(std::string(255, 'x')), "");
  for (const char* path : {"", "/", "/a", "a/", "a//b"})
    EXPECT_THAT(PathProblem(path), HasSubstr("empty segment"));
  for (const char* path : {".", "./a", "a/./b", "a/."})
    EXPECT_THAT(PathProblem(path), HasSubstr("segment \".\""));
  for (const char* path : {"..", "../a", "a/../b"})
    EXPECT_THAT(PathProblem(path), HasSubstr("segment \"..\""));
  EXPECT_THAT(PathProblem("a/" + std::string(256, 'x')), HasSubstr("256 bytes"));
  EXPECT_THAT(PathProblem(std::string("a\0b", 3)), HasSubstr("NUL"));
}

TEST(PathChecker, FindsAFileThatIsAFolderTooHoweverFarApart) {
  PathChecker checker;
  EXPECT_EQ(checker.Check("v"), "");
  EXPECT_EQ(checker.Check("w"), "");
  EXPECT_EQ(checker.Check("w-1"), "");  // "-" comes before "/"
  EXPECT_EQ(checker.Check("w-2/x"), "");
  EXPECT_THAT(checker.Check("w/p"), HasSubstr("\"w\" is an object"));
  EXPECT_THAT(checker.Check("w/p/q"), HasSubstr("\"w\" is an object"));
  EXPECT_EQ(checker.Check("w0"), "");
  EXPECT_EQ(checker.Check("x/y"), "");
  EXPECT_THAT(checker.Check("x/y"), HasSubstr("twice"));
}

// The model: every folder of a path, and every path, in sets.
TEST(PathChecker, AgreesWithAModelOnRandomPaths) {
  for (uint64_t round = 0; round < 200; ++round) {
    std::set<std::string> paths;
    for (uint64_t i = 0; i < 30; ++i) {
      std::string path;
      const uint64_t length = 1 + Mix64(round * 1000 + i) % 6;
      for (uint64_t c = 0; c < length; ++c) path += "a-/"[Mix64(round * 100'000 + i * 100 + c) % 3];
      if (PathProblem(path).empty()) paths.insert(path);
    }
    PathChecker checker;
    for (const std::string& path : paths) {
      bool below_a_file = false;
      for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        below_a_file = below_a_file || paths.contains(path.substr(0, slash));
      }
      EXPECT_EQ(!checker.Check(path).empty(), below_a_file) << path;
    }
  }
}

TEST(FindPathFaults, GivesTheIndexThePathAndTheProblem) {
  Bucket bucket;
  for (const char* key : {"p/a", "p/a/b", "p/c", "p/d//e"}) bucket.Put(key, "x");
  std::vector<std::string> found;
  FindPathFaults(bucket.Open("mem://data/p/", {.extensions = {}}), 2, [&](const PathFault& fault) {
    found.push_back(std::to_string(fault.index) + " " + fault.path + ": " + fault.problem.substr(0, 6));
  });
  EXPECT_THAT(found, ElementsAre("1 a/b: \"a\" is", "3 d//e: it has"));
}

TEST(CheckPaths, NamesTheFirstFewInOneError) {
  Bucket bucket;
  bucket.Put("p/ok", "x");
  EXPECT_NO_THROW(CheckPaths(bucket.Open("mem://data/p/", {.extensions = {}}), 2));
  for (const char* key : {"p//1", "p//2", "p//3", "p//4"}) bucket.Put(key, "x");
  const Error error = ErrorOf([&] { CheckPaths(bucket.Open("mem://data/p/", {.extensions = {}}), 2); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.uri(), "mem://data/p/");
  EXPECT_THAT(error.message(), AllOf(HasSubstr("4 of 5 keys"), HasSubstr("\"/1\": it has an empty"),
                                     HasSubstr("\"/3\""), HasSubstr("and more"), HasSubstr("Pipe")));
}

}  // namespace
}  // namespace bucketline
