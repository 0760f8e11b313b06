// A Dataset of a training channel that has files.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/pipe_testing.h"

namespace bucketline {
namespace {

using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::JobFolder;

// A process in a job of which "files" came as File, and "train" as a Pipe.
class DatasetOfChannel : public ::testing::Test {
 protected:
  DatasetOfChannel() {
    job_.folder().Put("input/data/files/a/1.jpg", "one");
    job_.folder().Put("input/data/files/b/2.jpg", "two");
    setenv("SAGEMAKER_BASE_DIR", job_.folder().path().c_str(), 1);
  }
  ~DatasetOfChannel() override { unsetenv("SAGEMAKER_BASE_DIR"); }

  JobFolder job_{R"({"files": {"TrainingInputMode": "File"}, "train": {"TrainingInputMode": "Pipe"}})"};
  Bucket bucket_;
};

TEST_F(DatasetOfChannel, IsThatOfItsFolder) {
  DatasetOptions options;
  options.labels = Labels::Folder();
  const Dataset dataset = bucket_.Open("channel:files", options);
  ASSERT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.Read(1).data.view(), "two");
  EXPECT_EQ(dataset.classes(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(Dataset::OpenAll(bucket_.runtime(), {"channel:files"}).size(), 2u);
}

TEST_F(DatasetOfChannel, ThatIsAPipeIsRefused) {
  EXPECT_THAT(ErrorOf([&] { bucket_.Open("channel:train"); }).what(), HasSubstr("StreamLoader"));
  EXPECT_THAT(ErrorOf([&] { bucket_.Open("channel:other"); }).what(), HasSubstr("files, train"));
}

}  // namespace
}  // namespace bucketline
