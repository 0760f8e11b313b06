#include "bucketline/dataset/listing_log.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"
#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::TempFolder;

ListedRange Page(KeyRange range, const std::vector<std::string>& keys) {
  ListedRange listed{.objects = {}, .range = std::move(range)};
  for (const std::string& key : keys) {
    ObjectInfo object;
    object.key = key;
    object.size = key.size();
    object.etag = "\"" + key + "\"";
    object.version = "v" + key;
    listed.objects.push_back(std::move(object));
  }
  return listed;
}

std::vector<std::string> Replayed(ListingLog& log) {
  std::vector<std::string> told;
  log.Replay([&](const ListedRange& listed) {
    for (const ObjectInfo& object : listed.objects) {
      told.push_back(fmt::format("{} {} {} {}", object.key, object.size, object.etag, object.version));
    }
  });
  return told;
}

TEST(ListingLog, KeepsPagesAndKnowsWhatIsMissing) {
  const TempFolder folder;
  const std::string path = folder.Path("state");
  {
    ListingLog log(path, "s3://b/p/");
    EXPECT_THAT(Replayed(log), ElementsAre());
    EXPECT_THAT(log.Missing(), ElementsAre(KeyRange()));
    log.Append(Page({.after = "", .last = "b"}, {"a", "b"}));
    log.Append(Page({.after = "m", .last = std::nullopt}, {"n"}));
  }
  ListingLog log(path, "s3://b/p/");
  EXPECT_THAT(Replayed(log), ElementsAre("a 1 \"a\" va", "b 1 \"b\" vb", "n 1 \"n\" vn"));
  EXPECT_THAT(log.Missing(), ElementsAre(KeyRange{.after = "b", .last = "m"}));
}

TEST(ListingLog, WhereverItsEndIsCutTheRestIsThere) {
  const TempFolder folder;
  const std::string path = folder.Path("state");
  std::vector<uintmax_t> ends;
  {
    ListingLog log(path, "x");
    ends.push_back(std::filesystem::file_size(path));
    for (const char* key : {"a", "b", "c"}) {
      log.Append(Page({.after = "", .last = key}, {key}));
      ends.push_back(std::filesystem::file_size(path));
    }
  }
  const std::string whole = [&] {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  for (size_t size = 0; size <= whole.size(); ++size) {
    folder.Put("state", whole.substr(0, size));
    size_t pages = 0;
    while (pages + 1 < ends.size() && ends[pages + 1] <= size) ++pages;
    ListingLog log(path, "x");
    ASSERT_EQ(Replayed(log).size(), pages) << size;
    log.Append(Page({.after = "y", .last = "z"}, {"z"}));
  }
  // A changed byte ends what is believed, too.
  for (size_t at = ends[0]; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    folder.Put("state", changed);
    size_t pages = 0;
    while (ends[pages + 1] <= at) ++pages;
    ListingLog log(path, "x");
    ASSERT_EQ(Replayed(log).size(), pages) << at;
  }
}

TEST(ListingLog, RefusesWhatIsNotItsOwn) {
  const TempFolder folder;
  folder.Put("text", "some other file that is long enough to hold a name");
  Error error = ErrorOf([&] { ListingLog(folder.Path("text"), "s3://b/"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("no state of a listing"));
  EXPECT_EQ(std::filesystem::file_size(folder.Path("text")), 50u) << "the file was changed";
  {
    ListingLog(folder.Path("state"), "s3://b/one/");
  }
  error = ErrorOf([&] { ListingLog(folder.Path("state"), "s3://b/two/"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("\"s3://b/one/\""));
  const ListingLog held(folder.Path("state"), "s3://b/one/");
  EXPECT_EQ(ErrorOf([&] { ListingLog(folder.Path("state"), "s3://b/one/"); }).code(),
            ErrorCode::kUnavailable);
  EXPECT_EQ(ErrorOf([&] { ListingLog(folder.Path("no/folder"), "x"); }).code(), ErrorCode::kNotFound);
}

TEST(ListingLog, OnlyLogsAreRemoved) {
  const TempFolder folder;
  folder.Put("text", "some text");
  EXPECT_THAT(ErrorOf([&] { RemoveListingLog(folder.Path("text")); }).message(),
              HasSubstr("no state of a listing"));
  {
    ListingLog(folder.Path("state"), "x");
  }
  folder.Put("empty", "");
  for (const char* name : {"state", "empty", "absent"}) {
    RemoveListingLog(folder.Path(name));
    EXPECT_FALSE(std::filesystem::exists(folder.Path(name))) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(folder.Path("text")));
}

TEST(ListingLog, GapsAreWhatRangesLeaveOut) {
  CounterRng random(3, 0, 0);
  for (int round = 0; round < 2000; ++round) {
    std::vector<KeyRange> ranges;
    std::vector<bool> covered(10, false);  // the keys "0" to "9"
    for (uint64_t n = random.NextBelow(5); n > 0; --n) {
      const size_t first = random.NextBelow(10);
      const size_t last = first + random.NextBelow(10 - first);
      const bool open = last == 9 && random.NextBelow(2) == 0;
      ranges.push_back({.after = first == 0 ? "" : std::to_string(first - 1),
                        .last = open ? std::nullopt : std::optional(std::to_string(last))});
      std::fill(covered.begin() + static_cast<ptrdiff_t>(first),
                covered.begin() + static_cast<ptrdiff_t>(last) + 1, true);
    }
    const std::vector<KeyRange> gaps = Gaps(ranges);
    for (size_t i = 0; i < 10; ++i) {
      const std::string key = std::to_string(i);
      size_t in = 0;
      for (const KeyRange& gap : gaps) in += key > gap.after && (!gap.last || key <= *gap.last) ? 1 : 0;
      EXPECT_EQ(in, covered[i] ? 0u : 1u);
    }
  }
}

// A listing that the store ends again and again comes to the same manifest, and no page is asked for twice.
TEST(ListingLog, AListingThatFailsGoesOnWhereItWas) {
  const TempFolder folder;
  const std::shared_ptr<ObjectStore> inner = MakeMemoryStore("data");
  for (int i = 0; i < 30'000; ++i) PutBytes(*inner, fmt::format("p/{:02}/{:05}.jpg", i / 500, i), "x");
  uint64_t budget = 0;
  auto recording = std::make_shared<RecordingStore>(inner);
  Runtime runtime(testing::Quiet());
  runtime.AddStore("data", std::make_shared<FaultStore>(recording, [&](const StoreCall&, uint64_t) {
                     if (budget == 0) return Fault::FailBefore(Error(ErrorCode::kUnavailable, "down"));
                     --budget;
                     return Fault::None();
                   }));
  DatasetOptions options;
  options.listing.log = folder.Path("state");
  std::vector<std::string> notes;
  options.listing.note = [&](const std::string& line) { notes.push_back(line); };
  size_t failures = 0;
  for (;;) {
    budget = 12;
    const Result<Dataset> dataset = Catch([&] { return Dataset::Open(runtime, "mem://data/p/", options); });
    if (dataset.ok()) {
      EXPECT_EQ(dataset->fingerprint(), [&] {
        budget = 1000;
        return Dataset::Open(runtime, "mem://data/p/").fingerprint();
      }());
      break;
    }
    EXPECT_EQ(dataset.error().code(), ErrorCode::kUnavailable);
    ASSERT_LT(++failures, 20u);
  }
  EXPECT_GE(failures, 2u);
  ASSERT_EQ(notes.size(), failures);
  EXPECT_THAT(notes.back(), HasSubstr("objects were listed before"));
}

TEST(ListingLog, OnlyAPrefixOfObjectsCanBeResumed) {
  const TempFolder folder;
  testing::Bucket bucket;
  bucket.Put("a.jpg", "x");
  bucket.Open().Save("mem://data/x.manifest");
  for (const char* uri : {"mem://data/x.manifest", "mem://data/x.tar"}) {
    DatasetOptions options;
    options.listing.log = folder.Path("state");
    EXPECT_EQ(ErrorOf([&] { bucket.Open(uri, options); }).code(), ErrorCode::kUnsupported) << uri;
    const Error error = ErrorOf([&] { Dataset::OpenAll(bucket.runtime(), {"mem://data/", uri}, options); });
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(error.message(), HasSubstr("of one prefix, and these are several"));
  }
}

}  // namespace
}  // namespace bucketline
