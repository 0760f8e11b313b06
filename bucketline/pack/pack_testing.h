// What tests of packing share: a bucket to read, one to write, and what is in a pack.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/pack/pack.h"

namespace bucketline::testing {

// mem://data/ to read, mem://out/ to write. Records are 40 of 0 to 3900 bytes below three folders, "r/a/00.bin" ....
class PackBuckets : public ::testing::Test {
 protected:
  PackBuckets() {
    bucket_.runtime().AddStore("out", out_);
    for (size_t i = 0; i < 40; ++i) {
      const std::string key = fmt::format("r/{}/{:02}.bin", "abc"[i % 3], i);
      bucket_.Put(key, std::string(i * 100, static_cast<char>('0' + i)));
    }
  }

  Dataset OpenRaw(Labels labels = Labels::None()) {
    return bucket_.Open("mem://data/r/", {.labels = std::move(labels), .extensions = {}});
  }
  PackReport PackAll(const Dataset& dataset, PackOptions options = {},
                     const std::string& uri = "mem://out/p/") {
    if (options.shard_size == PackOptions{}.shard_size) options.shard_size = 20'000;
    return Pack(dataset, uri, options);
  }

  // Every object below the prefix, by what follows it.
  std::map<std::string, std::string> Objects(const std::string& prefix = "p/") {
    std::map<std::string, std::string> objects;
    for (const ObjectInfo& object : ListAll(*out_, prefix)) {
      objects[object.key.substr(prefix.size())] = GetBytes(*out_, object.key).ToString();
    }
    return objects;
  }
  static std::vector<std::string> Shards(const std::map<std::string, std::string>& objects) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : objects) {
      if (name.starts_with("shard-") && !name.ends_with(".manifest")) names.push_back(name);
    }
    return names;
  }

  Bucket bucket_;
  std::shared_ptr<ObjectStore> out_ = MakeMemoryStore("out");
};

// "key label bytes", one text a record.
inline std::vector<std::string> ContentOf(const Dataset& dataset) {
  std::vector<std::string> content;
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    std::string text = dataset.Key(i);
    if (dataset.label_kind() == LabelKind::kClass || dataset.label_kind() == LabelKind::kInteger) {
      text += fmt::format(" {}", dataset.LabelInteger(i));
    } else if (dataset.label_kind() != LabelKind::kNone) {
      for (size_t j = 0; j < dataset.label_width(); ++j) text += fmt::format(" {}", dataset.LabelFloat(i, j));
    }
    for (size_t part = 0; part < dataset.part_names().size(); ++part) {
      text += fmt::format(" {}", dataset.Read(i, part).data.view());
    }
    content.push_back(std::move(text));
  }
  return content;
}

}  // namespace bucketline::testing
