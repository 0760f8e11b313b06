#include "bucketline/channel/mount_tree.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/channel/mount_paths.h"
#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// The reference: every folder with its children; a file has its key, a folder "".
using Model = std::map<std::string, std::map<std::string, std::string>>;

Model ModelOf(const std::set<std::string>& paths) {
  Model model = {{"", {}}};
  for (const std::string& path : paths) {
    size_t begin = 0;
    for (size_t slash; (slash = path.find('/', begin)) != std::string::npos; begin = slash + 1) {
      model[path.substr(0, begin)][path.substr(begin, slash - begin)] = "";
      model[path.substr(0, slash + 1)];
    }
    model[path.substr(0, begin)][path.substr(begin)] = path;
  }
  return model;
}

struct Listed {
  std::string name;
  uint64_t node;
  uint64_t next;
};

std::vector<Listed> ListFrom(const MountTree& tree, uint64_t folder, uint64_t position,
                             size_t most = SIZE_MAX) {
  std::vector<Listed> listed;
  tree.List(folder, position, [&](std::string_view name, uint64_t node, uint64_t next) {
    listed.push_back({std::string(name), node, next});
    return listed.size() < most;
  });
  return listed;
}

// Walks the tree from the root by listing and by looking up, and compares all that is seen with the model.
void ExpectSame(const MountTree& tree, const Model& model, uint64_t node = MountTree::kRoot,
                const std::string& path = "") {
  const std::map<std::string, std::string>& children = model.at(path);
  const std::vector<Listed> listed = ListFrom(tree, node, 0);
  ASSERT_EQ(listed.size(), children.size()) << path;
  for (const Listed& child : listed) {
    ASSERT_TRUE(children.contains(child.name)) << path << child.name;
    EXPECT_EQ(tree.Lookup(node, child.name), child.node) << path << child.name;
    ASSERT_TRUE(tree.Exists(child.node));
    const std::string& file = children.at(child.name);
    ASSERT_EQ(tree.IsFolder(child.node), file.empty()) << path << child.name;
    if (file.empty()) {
      EXPECT_EQ(tree.ParentOf(child.node), node);
      ExpectSame(tree, model, child.node, path + child.name + "/");
    } else {
      EXPECT_EQ(tree.dataset().Key(tree.RecordOf(child.node)), "p/" + file);
      EXPECT_EQ(tree.NodeOf(tree.RecordOf(child.node)), child.node);
    }
    EXPECT_EQ(tree.Lookup(node, child.name + "!"), std::nullopt);
  }
}

MountTree TreeOf(Bucket& bucket, const std::set<std::string>& paths) {
  for (const std::string& path : paths) bucket.Put("p/" + path, "x");
  return MountTree(bucket.Open("mem://data/p/", {.extensions = {}}), 2);
}

TEST(MountTreeTest, IsWhatTheKeysSpell) {
  const std::set<std::string> paths = {"a", "b/c", "b/d/e", "b/d/f", "b-1", "b.txt", "g/h/i/j", "z"};
  Bucket bucket;
  const MountTree tree = TreeOf(bucket, paths);
  ExpectSame(tree, ModelOf(paths));
  EXPECT_EQ(tree.folders(), 6u);
  EXPECT_EQ(tree.ParentOf(MountTree::kRoot), MountTree::kRoot);
  EXPECT_FALSE(tree.Exists(0));
  EXPECT_TRUE(tree.Exists(6 + paths.size()));
  EXPECT_FALSE(tree.Exists(6 + paths.size() + 1));
}

TEST(MountTreeTest, ANameIsOneSegment) {
  Bucket bucket;
  const MountTree tree = TreeOf(bucket, {"a/b", "c"});
  EXPECT_EQ(tree.Lookup(MountTree::kRoot, "a/b"), std::nullopt);
  EXPECT_EQ(tree.Lookup(MountTree::kRoot, ""), std::nullopt);
  EXPECT_EQ(tree.Lookup(MountTree::kRoot, "d"), std::nullopt);
}

TEST(MountTreeTest, AListingGoesOnFromAnyPosition) {
  Bucket bucket;
  const MountTree tree = TreeOf(bucket, {"a", "b/1", "b/2", "b/3", "c", "d/1/2/3", "e"});
  const std::vector<Listed> all = ListFrom(tree, MountTree::kRoot, 0);
  ASSERT_EQ(all.size(), 5u);
  for (size_t i = 0; i < all.size(); ++i) {
    const std::vector<Listed> rest = ListFrom(tree, MountTree::kRoot, all[i].next);
    ASSERT_EQ(rest.size(), all.size() - i - 1);
    for (size_t j = 0; j < rest.size(); ++j) EXPECT_EQ(rest[j].name, all[i + 1 + j].name);
  }
  EXPECT_EQ(ListFrom(tree, MountTree::kRoot, 0, 2).size(), 2u) << "the visitor ends it";
}

TEST(MountTreeTest, OfAnEmptyShareIsAnEmptyRoot) {
  Bucket bucket;
  bucket.Put("p/a", "x");
  const MountTree tree(bucket.Open("mem://data/p/", {.extensions = {}}).Slice(0, 0), 2);
  EXPECT_THAT(ListFrom(tree, MountTree::kRoot, 0), IsEmpty());
  EXPECT_EQ(tree.Lookup(MountTree::kRoot, "a"), std::nullopt);
}

TEST(MountTreeTest, AgreesWithTheModelForRandomKeys) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 30; ++round) {
    std::set<std::string> keys;
    while (keys.size() < 60) {
      std::string key;
      for (uint64_t depth = random() % 4 + 1; depth > 0; --depth) {
        for (uint64_t length = random() % 2 + 1; length > 0; --length) key += "-./ab\xff"[random() % 6];
        if (depth > 1) key += '/';
      }
      keys.insert(key);
    }
    Bucket bucket;
    for (const std::string& key : keys) bucket.Put("p/" + key, "x");
    std::set<std::string> left;
    const Dataset paths = OnlyPaths(bucket.Open("mem://data/p/", {.extensions = {}}), 2,
                                    [&](std::string_view key, std::string_view) { left.emplace(key); });
    std::set<std::string> kept;
    for (uint64_t i = 0; i < paths.size(); ++i) kept.insert(paths.Key(i).substr(2));
    EXPECT_EQ(kept.size() + left.size(), keys.size());
    for (const std::string& path : kept) {  // none is another's folder
      const auto below = kept.lower_bound(path + "/");
      EXPECT_FALSE(below != kept.end() && below->starts_with(path + "/")) << path;
    }
    ExpectSame(MountTree(paths, 2), ModelOf(kept));
  }
}

TEST(MountTreeTest, FoldersNeedSixteenBytesEach) {
  Bucket bucket;
  for (int i = 0; i < 5000; ++i) bucket.Put(fmt::format("p/{:03}/{:05}", i / 10, i), "");
  const MountTree tree(bucket.Open("mem://data/p/", {.extensions = {}}), 2);
  EXPECT_EQ(tree.folders(), 501u);
  EXPECT_EQ(tree.memory(), 501u * 16);
}

std::vector<std::pair<std::string, std::string>> LeftOutOf(Bucket& bucket) {
  std::vector<std::pair<std::string, std::string>> left;
  OnlyPaths(bucket.Open("mem://data/p/", {.extensions = {}}), 2,
            [&](std::string_view key, std::string_view reason) { left.emplace_back(key.substr(2), reason); });
  return left;
}

TEST(MountPathsTest, KeysThatCannotBePathsAreLeftOutWithTheirReason) {
  Bucket bucket;
  for (const std::string& key :
       {std::string("ok"), std::string("a//b"), std::string("a/./b"), std::string("../b"), std::string("/c"),
        std::string("n\0l", 3), std::string(256, 'n'), std::string(255, 'm'), std::string("folder/")}) {
    bucket.Put("p/" + key, "x");
  }
  EXPECT_THAT(
      LeftOutOf(bucket),
      UnorderedElementsAre(Pair("a//b", HasSubstr("empty segment")), Pair("a/./b", HasSubstr("\".\"")),
                           Pair("../b", HasSubstr("\"..\"")), Pair("/c", HasSubstr("empty segment")),
                           Pair(std::string("n\0l", 3), HasSubstr("NUL")),
                           Pair(std::string(256, 'n'), HasSubstr("256 bytes")),
                           Pair("folder/", HasSubstr("empty segment"))));
}

TEST(MountPathsTest, KeysBelowAFileAreLeftOut) {
  Bucket bucket;
  for (const char* key : {"w", "w-1", "w.txt", "w/p", "w/q", "x", "x0"})
    bucket.Put(std::string("p/") + key, "x");
  EXPECT_THAT(LeftOutOf(bucket),
              ElementsAre(Pair("w/p", HasSubstr("\"w\" is an object")), Pair("w/q", HasSubstr("\"w\""))));
}

TEST(MountPathsTest, PathsBeginBelowTheFolderThatIsNamed) {
  Bucket bucket;
  bucket.Put("p/train/a", "x");
  bucket.Put("p/train/b/c", "x");
  bucket.Put("p/one", "x");
  const auto length = [&](const std::string& uri) {
    return MountPathStart(bucket.Open(uri, {.extensions = {}}));
  };
  EXPECT_EQ(length("mem://data/"), 0u);
  EXPECT_EQ(length("mem://data/p/train/"), 8u);
  EXPECT_EQ(length("mem://data/p/train"), 8u);
  EXPECT_EQ(length("mem://data/p/one"), 2u) << "an object by its whole key keeps its name";
}

TEST(MountPathsTest, APrefixThatEndsWithinANameIsAnError) {
  Bucket bucket;
  bucket.Put("p/train-01/a", "x");
  bucket.Put("p/train/a", "x");
  const Error error = ErrorOf([&] { MountPathStart(bucket.Open("mem://data/p/train", {.extensions = {}})); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("p/train-01/a"));
  EXPECT_THAT(error.what(), HasSubstr("end it with \"/\""));
  bucket.Put("p/train.csv", "x");
  EXPECT_EQ(StartOfFolder(bucket.Open("mem://data/p/train/", {.extensions = {}})), 8u);
  EXPECT_EQ(StartOfFolder(bucket.Open("mem://data/p/train.", {.extensions = {}})), std::nullopt);
}

}  // namespace
}  // namespace bucketline
