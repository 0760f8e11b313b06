// What a pack refuses, and bad records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/image/decoder.h"
#include "bucketline/image/jpeg_encode.h"
#include "bucketline/pack/pack_testing.h"
#include "bucketline/records/shard_testing.h"
#include "bucketline/store/fault_store.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::ContentOf;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::PackBuckets;

class PackErrors : public PackBuckets {
 protected:
  void Refused(const Error& error, ErrorCode code, const std::string& says, const std::string& uri = "") {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.message(), HasSubstr(says));
    EXPECT_EQ(error.uri(), uri);
    EXPECT_TRUE(Objects("").empty()) << "something was written";
  }
  void Refused(PackOptions options, ErrorCode code, const std::string& says, const std::string& uri = "") {
    Refused(ErrorOf([&] { PackAll(OpenRaw(), options); }), code, says, uri);
  }
  static std::string Jpeg(int width, int height) {
    const std::vector<uint8_t> pixels(static_cast<size_t>(width * height) * 3, 100);
    const std::vector<uint8_t> jpeg = EncodeJpeg(pixels, width, height, 3, 95);
    return {jpeg.begin(), jpeg.end()};
  }
  static ImageInfo InfoOf(const Bytes& bytes) { return ProbeImage(bytes.span()); }
};

TEST_F(PackErrors, OptionsOutOfRange) {
  const auto invalid = ErrorCode::kInvalidArgument;
  Refused({.format = "zip"}, invalid, "one of tar | tfrecord | mds, not \"zip\"");
  Refused({.shard_size = 0}, invalid, "0 were asked for");
  Refused({.format = "mds", .shard_size = 1ull << 32}, invalid, "at most 4294967295 bytes");
  Refused({.short_side = -1}, invalid, "short side");
  Refused({.quality = 101}, invalid, "quality");
  Refused({.max_skipped = 1.5}, invalid, "max_skipped");
  Refused(ErrorOf([&] { PackAll(OpenRaw().Slice(0, 0)); }), invalid, "no record to pack");
}

TEST_F(PackErrors, ARecordLargerThanAShardIsNamed) {
  Refused({.shard_size = 4000}, ErrorCode::kInvalidArgument, "make shards larger", "mem://data/r/a/36.bin");
  const std::string needed = ErrorOf([&] { PackAll(OpenRaw(), {.shard_size = 4000}); }).message();
  EXPECT_THAT(needed, HasSubstr("takes 6656 bytes"));  // headers, 3900 bytes in blocks, JSON, the end
}

TEST_F(PackErrors, ThePlaceAndTheDatasetLieApart) {
  for (const char* out : {"mem://data/r/", "mem://data/r", "mem://data/r/packed/"}) {
    const Error error = ErrorOf([&] { PackAll(OpenRaw(), {}, out); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << out;
    EXPECT_THAT(error.message(), HasSubstr("lies in the dataset itself, mem://data/r/"));
  }
  EXPECT_THAT(ErrorOf([&] { PackAll(OpenRaw(), {}, "mem://data/"); }).message(),
              HasSubstr("mem://data/r/, lies in this place"));
  EXPECT_EQ(PackAll(OpenRaw(), {}, "mem://data/other/").records, 40u);
  EXPECT_EQ(PackAll(OpenRaw(), {}, "mem://out/r/").records, 40u) << "the same key of another bucket";
}

TEST_F(PackErrors, TooLittleMemoryNamesTheLeast) {
  const Error error = ErrorOf([&] { PackAll(OpenRaw(), {.memory = 1'000'000}); });
  Refused(error, ErrorCode::kResourceExhausted, "bytes are the least", "mem://data/r/a/39.bin");
  const std::string text = error.message();
  const size_t at = text.find(" bytes are the least");
  const uint64_t least = std::stoull(text.substr(text.rfind(' ', at - 1)));
  EXPECT_THROW(PackAll(OpenRaw(), {.memory = least - 1}), Error);
  EXPECT_EQ(PackAll(OpenRaw(), {.memory = least}).records, 40u);
}

TEST_F(PackErrors, TwoRecordsOfOneKey) {
  const Dataset raw = OpenRaw();
  const Dataset twice = Dataset::Concat({raw, raw.Slice(3, 1)}, Repeats::kAllow);
  Refused(ErrorOf([&] { PackAll(twice); }), ErrorCode::kInvalidArgument,
          "two records have the key \"r/a/09.bin\"");
}

TEST_F(PackErrors, PartsAreNotMadeSmaller) {
  const Dataset joined = Dataset::Join({{"a", OpenRaw()}, {"b", OpenRaw()}});
  Refused(ErrorOf([&] { PackAll(joined, {.short_side = 32}); }), ErrorCode::kInvalidArgument,
          "several parts");
}

TEST_F(PackErrors, APlaceThatCannotBeWrittenToSaysSo) {
  const auto refuses = std::make_shared<FaultStore>(
      out_,
      Always(StoreOp::kCommit, Fault::FailBefore(Error(ErrorCode::kPermissionDenied, "you may not write here",
                                                       "mem://locked/p/pack.json"))));
  bucket_.runtime().AddStore("locked", refuses);
  const Error error = ErrorOf([&] { PackAll(OpenRaw(), {}, "mem://locked/p/"); });
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(error.uri(), HasSubstr("pack.json"));
}

// What is written there comes back with one bit changed, once an object has more than some bytes.
class BitFlipStore : public ObjectStore {
 public:
  explicit BitFlipStore(std::shared_ptr<ObjectStore> inner) : inner_(std::move(inner)) {}

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
    inner_->List(std::move(request), std::move(done));
  }
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    inner_->Get(std::move(request), std::move(sink), std::move(done));
  }
  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override {
    inner_->Head(std::move(key), std::move(done));
  }
  void Delete(std::string key, std::function<void(Result<void>)> done) override {
    inner_->Delete(std::move(key), std::move(done));
  }
  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition) override {
    return std::make_unique<Writer>(inner_->OpenWriter(std::move(key), std::move(condition)));
  }
  std::string UriOf(std::string_view key) const override { return inner_->UriOf(key); }

 private:
  class Writer : public ObjectWriter {
   public:
    explicit Writer(std::unique_ptr<ObjectWriter> inner) : inner_(std::move(inner)) {}
    void Write(std::span<const uint8_t> data) override {
      std::vector<uint8_t> copy(data.begin(), data.end());
      if (copy.size() > 10'000) copy[copy.size() / 2] ^= 1;
      inner_->Write(copy);
    }
    ObjectInfo Commit() override { return inner_->Commit(); }
    void Abort() override { inner_->Abort(); }

   private:
    const std::unique_ptr<ObjectWriter> inner_;
  };

  const std::shared_ptr<ObjectStore> inner_;
};

TEST_F(PackErrors, AShardThatDoesNotReadBackIsFoundOut) {
  bucket_.runtime().AddStore("flips", std::make_shared<BitFlipStore>(out_));
  const Error error = ErrorOf([&] { PackAll(OpenRaw(), {.max_shards = 1}, "mem://flips/p/"); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.message(), HasSubstr("the store gives back"));
  EXPECT_THAT(error.uri(), HasSubstr("p/shard-000000.tar"));
  EXPECT_FALSE(Objects().contains("shard-000000.tar.manifest")) << "it is made again";
  EXPECT_EQ(PackAll(OpenRaw(), {.verify = false}, "mem://flips/p/").records, 40u);
}

// A shard whose indexed checksums do not hold for two of its samples.
class BadRecords : public PackErrors {
 protected:
  Dataset OpenDamaged() {
    std::string shard;
    std::vector<std::string> keys;
    PackAll(OpenRaw(Labels::Folder()), {.format = "tfrecord", .shard_size = 1'000'000}, "mem://data/packed/");
    const Dataset packed = bucket_.Open("mem://data/packed/index.manifest");
    std::string bytes = GetBytes(*bucket_.store(), "packed/shard-000000.tfrecord").ToString();
    for (const uint64_t index : {uint64_t{3}, uint64_t{20}}) bytes[packed.PlaceAt(index).part.offset] ^= 1;
    bucket_.Put("packed/shard-000000.tfrecord", bytes);
    // The same size; whoever reads by size alone gets other bytes than were indexed.
    return bucket_.Open("mem://data/packed/index.manifest", {.pin = PinMode::kSize});
  }
};

TEST_F(BadRecords, AreErrorsUnlessTheyMayBeLeftOut) {
  const Dataset damaged = OpenDamaged();
  const Error error = ErrorOf([&] { PackAll(damaged); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.uri(), HasSubstr("packed/shard-000000.tfrecord#bytes="));
}

TEST_F(BadRecords, AreLeftOutAndNamed) {
  const Dataset damaged = OpenDamaged();
  std::vector<std::string> named;
  PackOptions options{.skip_bad = true, .max_skipped = 0.05};
  options.skipped = [&](const std::string& uri, const Error& why) {
    EXPECT_EQ(why.code(), ErrorCode::kCorruptData);
    named.push_back(uri);
  };
  const PackReport report = PackAll(damaged, options);
  EXPECT_EQ(report.records, 38u);
  EXPECT_EQ(report.skipped, 2u);
  std::sort(named.begin(), named.end());
  std::vector<std::string> expected = {damaged.UriAt(3), damaged.UriAt(20)};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(named, expected);
  const Dataset packed = bucket_.Open(report.index);
  EXPECT_EQ(ContentOf(packed), ContentOf(damaged.Without({damaged.Key(3), damaged.Key(20)})));
  const PackReport again = PackAll(damaged, options);
  EXPECT_EQ(again.skipped, 2u) << "what a run before left out counts too";
  EXPECT_EQ(again.kept_shards, report.shards);
}

TEST_F(BadRecords, TooManyEndThePack) {
  const Error error = ErrorOf([&] { PackAll(OpenDamaged(), {.skip_bad = true, .max_skipped = 0.025}); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("2 of 40 records are bad"), HasSubstr("at most 1 may")));
}

TEST_F(PackErrors, AShardOfBadRecordsAloneIsNotWritten) {
  bucket_.Put("j/0.jpg", std::string(9500, 'x'));  // a shard of its own
  bucket_.Put("j/1.jpg", Jpeg(80, 60));
  const Dataset raw = bucket_.Open("mem://data/j/");
  const PackOptions options{
      .format = "mds", .shard_size = 10'000, .short_side = 30, .skip_bad = true, .max_skipped = 1};
  for (const uint64_t kept : {0u, 1u}) {
    const PackReport report = PackAll(raw, options);
    EXPECT_EQ(report.shards, 1u);
    EXPECT_EQ(report.kept_shards, kept);
    EXPECT_EQ(report.skipped, 1u);
    EXPECT_FALSE(Objects().contains("shard-000000.mds"));
    EXPECT_EQ(bucket_.Open(report.index).Key(0), "j/1.jpg");
  }
  bucket_.Put("k/0.jpg", std::string(9000, 'x'));
  EXPECT_THAT(ErrorOf([&] { PackAll(bucket_.Open("mem://data/k/"), options, "mem://out/k/"); }).message(),
              HasSubstr("every record is bad"));
}

TEST_F(PackErrors, ImagesBecomeSmallerJpegs) {
  bucket_.Put("j/large.jpg", Jpeg(400, 200));
  bucket_.Put("j/tall.jpg", Jpeg(101, 300));
  bucket_.Put("j/small.jpg", Jpeg(60, 50));
  const Dataset raw = bucket_.Open("mem://data/j/");
  const PackReport report = PackAll(raw, {.short_side = 64});
  EXPECT_EQ(report.bytes_read, raw.total_bytes());
  const Dataset packed = bucket_.Open(report.index);
  const auto sides = [&](uint64_t i) {
    const ImageInfo info = InfoOf(packed.Read(i).data);
    EXPECT_EQ(info.format, ImageFormat::kJpeg);
    return std::pair(info.width, info.height);
  };
  EXPECT_EQ(sides(0), std::pair(128, 64));
  EXPECT_EQ(sides(2), std::pair(64, 190));
  EXPECT_EQ(packed.Read(1).data.view(), raw.Read(1).data.view()) << "what is small enough stays as it is";
}

TEST_F(PackErrors, AnImageTooLargeForTheMemoryIsNoBadRecord) {
  bucket_.Put("j/large.jpg", Jpeg(6000, 4000));
  const Dataset raw = bucket_.Open("mem://data/j/");
  const PackOptions options{
      .shard_size = 10'000'000, .short_side = 3000, .skip_bad = true, .max_skipped = 1, .memory = 40_MiB};
  const Error error = ErrorOf([&] { PackAll(raw, options); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message(), HasSubstr("a quarter of its memory"));
  EXPECT_EQ(error.uri(), "mem://data/j/large.jpg");
}

}  // namespace
}  // namespace bucketline
