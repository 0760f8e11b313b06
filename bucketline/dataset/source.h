// Sources: manifests and the stores of their parts, on their way into a Dataset.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/sidecar.h"

namespace bucketline {

// What one part of a manifest's records is read from.
struct PartStore {
  std::shared_ptr<ObjectStore> store;
  PinMode pin = PinMode::kEtag;
};

// A manifest and the stores of its parts, in the order of its part names.
struct Source {
  Manifest manifest;
  std::vector<PartStore> stores;
  std::vector<SidecarLabel> member_labels = {};  // one a record, of shards whose members hold the labels
  std::vector<std::string> label_names = {};  // of labels that are numbers and stand for classes, by number
  uint64_t left_out = 0;                      // samples of shards, by DatasetOptions::missing and damaged
};

// The store of a URI by a dataset's options.
std::shared_ptr<ObjectStore> StoreOf(Runtime& runtime, const Uri& uri, const DatasetOptions& options);

// URIs that become one source: one, or the shards of one format in one store.
using SourceUris = std::vector<std::string>;

// Which of them go together, by their names and options.format. Throws kInvalidArgument for a format that is none.
std::vector<SourceUris> GroupUris(const std::vector<std::string>& uris, const DatasetOptions& options);

// A group of them, listed, read or indexed, not yet labelled.
Source OpenSource(Runtime& runtime, const SourceUris& uris, const DatasetOptions& options);

// Gives the sources the labels of options.labels; those records that must not stay leave them. Returns how
// many.
uint64_t LabelSources(Runtime& runtime, const DatasetOptions& options, std::vector<Source>* sources);

// `labels` are one for each record of these, in order: shares them out. Throws kInvalidArgument for another
// number.
void SpreadLabels(const LabelColumn& labels, std::vector<Source>* sources);

}  // namespace bucketline
