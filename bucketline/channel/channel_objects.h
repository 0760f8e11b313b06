// ChannelObjects: what a channel's specification names, found and pinned, for one host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "bucketline/channel/channel.h"
#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Of a ManifestFile channel: what its objects are called as files.
enum class ManifestPaths {
  kKey,          // the whole key, as SageMaker was seen to do
  kBelowPrefix,  // the key after the last "/" of the manifest's prefix, as of an S3Prefix channel
};

struct ChannelObjectsOptions {
  ManifestPaths manifest_paths = ManifestPaths::kKey;
  PinMode pin = PinMode::kEtag;
  std::optional<S3Options> s3 = {};                             // instead of the Runtime's
  std::function<void(uint64_t objects)> listing_progress = {};  // as in DatasetOptions
  std::stop_token stop = {};                                    // ends Open soon with kCancelled
};

// One piece of what a Pipe channel sends: an object, or text that stands in the manifest itself.
struct ChannelPiece {
  std::optional<uint64_t> object;  // its index in objects()
  std::string_view text = {};      // when there is no object; lives as long as the ChannelObjects or a copy
};

// Immutable; cheap to copy; thread-safe. The Runtime outlives it.
//
// A channel is a list of entries: the objects of a prefix bytewise by key, the elements of a manifest, the lines of an
// augmented one. `sharded` deals them to the hosts in turn: host h of n gets the entries h, h + n, h + 2n, ... of the
// list or, for Pipe with a shuffle seed, of the order that all of it has in the epoch. Entries are never divided; with more
// hosts than entries some get none.
class ChannelObjects {
 public:
  // Lists the prefix (objects that only mark a folder are left out; a URI that ends in ".manifest" is a list saved by
  // Dataset::Save), or reads the manifest and asks for each object that it names. Throws what the store says; kNotFound
  // for a prefix without objects; kInvalidArgument naming the line or element of a manifest that is wrong, or for an
  // augmented one without attributes.
  static ChannelObjects Open(Runtime& runtime, const ChannelSpec& spec, ChannelHost host = {},
                             const ChannelObjectsOptions& options = {});

  // Every object that is named, once, for all hosts; of an augmented manifest without references: nothing.
  const Dataset& objects() const;

  // For File and FastFile, whatever the seed: this host's objects, once each, bytewise by key; may be empty. Those whose keys
  // cannot be files are among them: CheckPaths(files(), path_start()) of channel/local_paths.h.
  const Dataset& files() const;
  // So many bytes at the begin of each key of files() are not part of the file's path.
  size_t path_start() const;

  // For Pipe: how many pieces an epoch has for this host, the same in every epoch: one an entry or, of an augmented
  // manifest, one for each attribute, entry after entry.
  uint64_t pieces() const;
  // Precondition: number < pieces(). Their order is that of the list, or by (seed, epoch) when there is a seed.
  ChannelPiece At(uint64_t epoch, uint64_t number) const;

 private:
  struct State;
  explicit ChannelObjects(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace bucketline
