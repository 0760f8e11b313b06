// listing_server N: serves a bucket "synthetic" of N objects that can only be listed, until its standard input ends.
// Prints as JSON how to reach it.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bench/synthetic_bucket.h"
#include <fmt/format.h>

#include "bucketline/serve/server.h"
#include "bucketline/store/memory_store.h"

namespace {

using namespace bucketline;

class OneBucket : public BucketProvider {
 public:
  explicit OneBucket(uint64_t objects) : bucket_(std::make_shared<bench::SyntheticBucket>(objects)) {}

  std::vector<BucketInfo> List() override { return {{.name = "synthetic"}}; }
  std::shared_ptr<ObjectStore> Find(const std::string& name) override {
    return name == "synthetic" ? bucket_ : nullptr;
  }
  bool Create(const std::string&) override { return false; }
  BucketRemoval Remove(const std::string&) override { return BucketRemoval::kNotEmpty; }
  std::shared_ptr<ObjectStore> Staging() override { return staging_; }

 private:
  const std::shared_ptr<ObjectStore> bucket_;
  const std::shared_ptr<ObjectStore> staging_ = MakeMemoryStore("unfinished-uploads");
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: listing_server N\n");
    return 2;
  }
  try {
    Server server({}, std::make_unique<OneBucket>(std::strtoull(argv[1], nullptr, 10)));
    fmt::print(R"({{"endpoint_url": "{}", "access_key_id": "{}", "secret_access_key": "{}"}})"
               "\n",
               server.endpoint_url(), server.access_key_id(), server.secret_access_key());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "listing_server: %s\n", error.what());
    return 1;
  }
}
