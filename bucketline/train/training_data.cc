#include "bucketline/train/training_data.h"

#include <utility>

namespace bucketline {
namespace {

std::variant<Loader, StreamLoader> MakeLoader(const TrainingData& data, LoaderOptions options) {
  if (const Dataset* dataset = data.dataset()) return Loader(*dataset, std::move(options));
  options.shuffle = false;
  options.last = LastPolicy::kPartial;
  return StreamLoader(*data.stream(), std::move(options));
}

}  // namespace

std::string TrainingData::source() const {
  return std::visit([](const auto& data) -> std::string { return data.source(); }, data_);
}

const std::vector<std::string>& TrainingData::classes() const {
  return dataset() != nullptr ? dataset()->classes() : stream()->options().classes;
}

std::optional<uint64_t> TrainingData::images() const {
  return dataset() != nullptr ? std::optional(dataset()->size()) : std::nullopt;
}

TrainingBatches::TrainingBatches(const TrainingData& data, LoaderOptions options)
    : loader_(MakeLoader(data, std::move(options))) {}

std::optional<Batch> TrainingBatches::Next() {
  return std::visit([](auto& loader) { return loader.Next(); }, loader_);
}

uint64_t TrainingBatches::epoch() const {
  return std::visit([](const auto& loader) { return loader.epoch(); }, loader_);
}

std::optional<uint64_t> TrainingBatches::steps() const {
  const Loader* loader = std::get_if<Loader>(&loader_);
  return loader != nullptr ? std::optional(loader->steps()) : std::nullopt;
}

uint64_t TrainingBatches::step_in_epoch() const {
  if (const Loader* loader = std::get_if<Loader>(&loader_)) return loader->steps() - loader->remaining();
  const StreamLoader& stream = *std::get_if<StreamLoader>(&loader_);
  const uint64_t rows = stream.options().batch_size;
  return (stream.State().position + rows - 1) / rows;
}

bool TrainingBatches::AtEnd() const {
  const Loader* loader = std::get_if<Loader>(&loader_);
  return loader != nullptr && loader->remaining() == 0;
}

LoaderState TrainingBatches::State() const {
  return std::visit([](const auto& loader) { return loader.State(); }, loader_);
}

void TrainingBatches::Restore(const LoaderState& state) {
  std::visit([&](auto& loader) { loader.Restore(state); }, loader_);
}

LoaderStats TrainingBatches::Stats() const {
  return std::visit([](const auto& loader) { return loader.Stats(); }, loader_);
}

}  // namespace bucketline
