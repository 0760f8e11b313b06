// What a user's program looks like: opens a folder that has no image and prints the error that says so.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <bucketline/bucketline.h>

int main(int argc, char** argv) {
  using namespace bucketline;
  if (argc != 2) return 2;
  std::filesystem::create_directories(argv[1]);
  std::ofstream(std::filesystem::path(argv[1]) / "notes.txt") << "no image";
  Runtime runtime({.memory = 64_MiB});
  try {
    auto [train, validation] = Dataset::Open(runtime, argv[1], {.labels = Labels::Folder()}).Split(0.8);
    Loader loader(train, {.batch_size = 32, .image = {.height = 224, .width = 224}, .shuffle = true});
    while (auto batch = loader.Next()) std::printf("%u rows\n", batch->rows());
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return error.code() == ErrorCode::kInvalidArgument ? 0 : 1;
  }
  return 1;
}
