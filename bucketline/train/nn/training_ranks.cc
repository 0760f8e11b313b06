// TrainingRun among several ranks: what they agree on, share and add up.
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "bucketline/base/error.h"
#include "bucketline/train/nn/training_run.h"

namespace bucketline::nn {
namespace {

using Json = nlohmann::json;

// Numbers of one type after each other, with how many there are.
template <typename T>
void Append(std::string& bytes, const std::vector<T>& values) {
  const uint64_t count = values.size();
  bytes.append(reinterpret_cast<const char*>(&count), sizeof(count));
  bytes.append(reinterpret_cast<const char*>(values.data()), count * sizeof(T));
}

template <typename T>
std::vector<T> Take(std::string_view& bytes) {
  uint64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof(count));
  bytes.remove_prefix(sizeof(count));
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
  return values;
}

// A rank's part of a validation, as bytes for the others; they run the same program.
std::string Packed(const Validation& part) {
  std::string bytes;
  Append<double>(bytes, {part.sums.loss});
  Append<uint64_t>(bytes, {part.sums.correct, part.sums.rows, part.whole ? 1u : 0u});
  Append(bytes, part.step_rows);
  Append(bytes, part.predictions.indices);
  Append(bytes, part.predictions.labels);
  Append(bytes, part.predictions.predicted);
  Append(bytes, part.predictions.scores);
  return bytes;
}

Validation Unpacked(std::string_view bytes) {
  Validation part;
  part.sums.loss = Take<double>(bytes)[0];
  const std::vector<uint64_t> counts = Take<uint64_t>(bytes);
  part.sums.correct = counts[0];
  part.sums.rows = counts[1];
  part.whole = counts[2] == 1;
  part.step_rows = Take<uint32_t>(bytes);
  part.predictions.indices = Take<uint64_t>(bytes);
  part.predictions.labels = Take<uint32_t>(bytes);
  part.predictions.predicted = Take<uint32_t>(bytes);
  part.predictions.scores = Take<float>(bytes);
  return part;
}

template <typename T>
void MoveRows(const std::vector<T>& from, size_t first, size_t count, std::vector<T>& to) {
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
}

// Step by step, the rows of each rank: the order in which one process reads the dataset.
Predictions InOrder(const std::vector<Validation>& parts, size_t classes) {
  Predictions all;
  all.classes = classes;
  std::vector<size_t> done(parts.size());
  size_t steps = 0;
  for (const Validation& part : parts) steps = std::max(steps, part.step_rows.size());
  for (size_t step = 0; step < steps; ++step) {
    for (size_t rank = 0; rank < parts.size(); ++rank) {
      const Validation& part = parts[rank];
      if (step >= part.step_rows.size()) continue;
      const size_t rows = part.step_rows[step];
      const Predictions& from = part.predictions;
      MoveRows(from.indices, done[rank], rows, all.indices);
      MoveRows(from.labels, done[rank], rows, all.labels);
      MoveRows(from.predicted, done[rank], rows, all.predicted);
      if (!from.scores.empty()) MoveRows(from.scores, done[rank] * classes, rows * classes, all.scores);
      done[rank] += rows;
    }
  }
  return all;
}

}  // namespace

std::string TrainingRun::FactsToAgreeOn() const {
  Json facts = Json::parse(CurrentState(loader_.State()).ToJson());
  facts.update(facts["loader"]);
  facts.erase("loader");
  for (const char* by_order : {"version", "sampling", "epoch_size"})
    facts.erase(by_order);  // of a window's states only
  facts["batch_size"] = options_.batch_size;
  facts["epochs"] = options_.epochs;
  facts["window"] = options_.window;
  facts["learning_rate"] = options_.learning_rate;
  facts["momentum"] = options_.momentum;
  facts["weight_decay"] = options_.weight_decay;
  facts["early_stop"] = options_.early_stop;
  facts["dropout"] = options_.dropout;
  facts["on_error"] = static_cast<int>(options_.on_error);
  facts["sync_batch_norm"] = options_.sync_batch_norm;
  facts["resume"] = options_.resume;
  facts["checkpoint"] = options_.checkpoint;
  facts["weights"] = options_.weights;
  facts["validation"] = validation_ == nullptr ? 0 : validation_->fingerprint();
  return facts.dump();
}

// All ranks throw the same.
void TrainingRun::RequireAgreement() {
  if (ranks_ == nullptr) return;
  const std::vector<std::string> everybody = ranks_->Gather(FactsToAgreeOn());
  const Json first = Json::parse(everybody[0]);
  for (size_t rank = 1; rank < everybody.size(); ++rank) {
    const Json theirs = Json::parse(everybody[rank]);
    for (const auto& [name, value] : first.items()) {
      if (theirs.at(name) == value) continue;
      throw Error(
          ErrorCode::kInvalidArgument,
          "the ranks would not train the same model on the same data: " + name + " is " + value.dump() +
              " on rank 0 and " + theirs.at(name).dump() + " on rank " + std::to_string(rank) +
              "; give all of them the same options, and where the bucket changes, train from a manifest "
              "that `bucketline index` wrote once",
          train_.source());
    }
  }
}

// Rank 0 reads it, so that all go on from the same one, and a folder of its host is enough.
std::optional<Checkpoint> TrainingRun::LoadCheckpoint() {
  std::optional<Checkpoint> checkpoint = checkpoints_ ? checkpoints_->Load() : std::nullopt;
  if (ranks_ == nullptr) return checkpoint;
  Json names = nullptr;
  if (checkpoint) {
    names = {{"step", checkpoint->step}, {"files", Json::array()}};
    for (const auto& [name, bytes] : checkpoint->files) names["files"].push_back(name);
  }
  names = Json::parse(ranks_->Broadcast(names.dump()));
  if (names.is_null()) return std::nullopt;
  Checkpoint shared{.step = names["step"], .files = {}};
  for (const std::string name : names["files"]) {
    std::string bytes = root() ? std::string(checkpoint->files.at(name).view()) : std::string();
    shared.files[name] = Bytes::Copy(ranks_->Broadcast(std::move(bytes)));
  }
  return shared;
}

void TrainingRun::ShareModel() {
  if (ranks_ == nullptr) return;
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : model_->State()) tensors.push_back(tensor);
  ranks_->Broadcast(tensors);
}

void TrainingRun::ShareBuffers() {
  NamedTensors buffers = model_->State();
  for (const auto& [name, parameter] : parameters_) buffers.erase(name);
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : buffers) tensors.push_back(tensor);
  ranks_->Broadcast(tensors);
}

// With the figures goes whether a rank was asked to stop, so that all stop after the same step.
RowSums TrainingRun::SumOverRanks(const RowSums& sums, const std::stop_token& stop) {
  const at::Tensor values =
      ::torch::tensor({sums.loss, static_cast<double>(sums.correct), static_cast<double>(sums.rows),
                       stop.stop_requested() ? 1.0 : 0.0},
                      at::kDouble);
  ranks_->Sum(values)->Wait();
  const auto* all = values.const_data_ptr<double>();
  ranks_stop_ = all[3] > 0;
  return {.loss = all[0], .correct = static_cast<uint64_t>(all[1]), .rows = static_cast<uint64_t>(all[2])};
}

bool TrainingRun::Stopping(const std::stop_token& stop) const {
  return ranks_ == nullptr ? stop.stop_requested() : ranks_stop_;
}

// Every rank has all of it then, and judges alike which epoch was best.
void TrainingRun::GatherValidation(Validation& validation) {
  std::vector<Validation> parts;
  for (const std::string& bytes : ranks_->Gather(Packed(validation))) parts.push_back(Unpacked(bytes));
  Validation all;
  all.whole = true;
  for (const Validation& part : parts) {
    all.sums.Add(part.sums);
    all.whole = all.whole && part.whole;
  }
  all.predictions = InOrder(parts, validation.predictions.classes);
  ranks_stop_ = ranks_stop_ || !all.whole;
  validation = std::move(all);
}

}  // namespace bucketline::nn
