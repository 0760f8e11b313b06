#include "bucketline/serve/multipart_uploads.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "bucketline/serve/serve_testing.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline::serve {
namespace {

using testing::CodeOf;

class MultipartUploadsTest : public ::testing::Test {
 protected:
  UploadName Create() { return {"bucket", "k", uploads_.Create("bucket", "k", {})}; }
  ObjectInfo Written(const UploadName& name, int number, std::string_view text) {
    const auto writer = uploads_.OpenPart(name, number);
    writer->Write({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    return writer->Commit();
  }
  std::string Put(const UploadName& name, int number, std::string_view text) {
    const ObjectInfo part = Written(name, number, text);
    uploads_.Received(name, number, part);
    return part.etag;
  }
  ObjectInfo Complete(const UploadName& name, CompleteRequest request) {
    return uploads_.Complete(name, request, *target_, false, {});
  }
  size_t staged() { return ListAll(*staging_, "").size(); }

  std::shared_ptr<ObjectStore> staging_ = MakeMemoryStore("staging");
  std::shared_ptr<ObjectStore> target_ = MakeMemoryStore("target");
  MultipartUploads uploads_{[this] { return staging_; }, 1};
};

TEST_F(MultipartUploadsTest, PartsBecomeTheObjectAndNothingIsLeft) {
  const UploadName name = Create();
  const std::string second = Put(name, 2, "world");
  Put(name, 1, "lost ");
  const std::string first = Put(name, 1, "hello ");
  EXPECT_EQ(staged(), 2u) << "a part that was replaced is gone";
  EXPECT_EQ(uploads_.Parts(name).size(), 2u);
  const ObjectInfo object = Complete(name, {{{1, first}, {2, second}}});
  EXPECT_EQ(GetBytes(*target_, "k").ToString(), "hello world");
  EXPECT_EQ(staged(), 0u);
  EXPECT_EQ(Complete(name, {{{1, first}, {2, second}}}).etag, object.etag) << "the answer may have got lost";
}

TEST_F(MultipartUploadsTest, AFailedCompleteCanBeTriedAgain) {
  const UploadName name = Create();
  const std::string etag = Put(name, 1, "hello");
  EXPECT_EQ(CodeOf([&] { Complete(name, {{{1, "\"other\""}}}); }), "InvalidPart");
  Complete(name, {{{1, etag}}});
  EXPECT_EQ(GetBytes(*target_, "k").ToString(), "hello");
}

TEST_F(MultipartUploadsTest, APartThatArrivesAfterTheAbortIsNotKept) {
  const UploadName name = Create();
  const ObjectInfo late = Written(name, 1, "late");
  uploads_.Abort(name);
  EXPECT_EQ(CodeOf([&] { uploads_.Received(name, 1, late); }), "NoSuchUpload");
  EXPECT_EQ(staged(), 0u);
}

TEST_F(MultipartUploadsTest, AThousandMayBeUnfinished) {
  UploadName last;
  for (int i = 0; i < 1000; ++i) last = Create();
  EXPECT_EQ(CodeOf([&] { Create(); }), "SlowDown");
  uploads_.Abort(last);
  EXPECT_EQ(CodeOf([&] { Create(); }), "none");
}

}  // namespace
}  // namespace bucketline::serve
