#include "bucketline/dataset/stream.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"

namespace bucketline {
namespace {

constexpr size_t kLabelPlace = 1;

}  // namespace

Stream::Stream(Runtime& runtime, ChannelPlace place, StreamOptions options)
    : runtime_(&runtime), place_(std::move(place)), options_(std::move(options)) {
  const auto require = [this](bool holds, const std::string& what) {
    if (!holds) throw Error(ErrorCode::kInvalidArgument, what, source());
  };
  require(place_.is_pipe, "this channel did not come as a Pipe: it has files, which a Dataset opens");
  if (options_.attributes.empty()) options_.attributes = {"data"};
  if (options_.labels && options_.attributes.size() == 1) options_.attributes.push_back("label");
  const std::vector<std::string>& names = options_.attributes;
  require(std::set<std::string>(names.begin(), names.end()).size() == names.size(),
          "an attribute is named twice");
  require(options_.labels || options_.classes.empty(), "classes are given, and the stream has no labels");
  require(options_.patience > Duration::zero(), "the longest wait for a FIFO must be positive");
  for (size_t i = 0; i < names.size(); ++i) {
    if (!options_.labels || i != kLabelPlace) part_names_.push_back(names[i]);
  }
}

uint64_t Stream::fingerprint() const {
  std::string text = place_.name + '\n' + (options_.labels ? "labels" : "");
  for (const auto* names : {&options_.attributes, &options_.classes}) {
    text += '\n';
    for (const std::string& name : *names) text += name + '\0';
  }
  return StableHash64(text);
}

}  // namespace bucketline
