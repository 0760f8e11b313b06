// Transform: the user's own step between decoding and normalising, called by the engine's decode threads.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "bucketline/base/bytes.h"
#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"

namespace bucketline {

// One part of the sample, as the transform finds it.
struct TransformField {
  std::string_view name;      // LoaderOptions::fields' name; "" without fields
  Bytes bytes;                // not decoded; empty when decoded
  std::span<uint8_t> pixels;  // decoded: (height, width, channels), cropped, resized, flipped, jittered, not
                              // normalised; may be changed in place; gone when the transform returns
  int height = 0;
  int width = 0;
  int channels = 0;
};

// One sample. Valid during the call only.
struct TransformSample {
  uint64_t seed = 0;  // (seed, epoch, position) key the sample's random draws
  uint64_t epoch = 0;
  uint64_t position = 0;
  uint64_t index =
      0;  // the record's number in `dataset`: what is really there, also where it stands in for another
  const Dataset& dataset;  // for the key (Key(index)) and the label (LabelInteger(index), LabelFloat(index))
  std::span<TransformField> fields;  // in the order of LoaderOptions::fields; one without them

  std::string Key() const { return dataset.Key(index); }
};

// What a transform makes of a sample. All samples of a run are kept or all become values; skips may be among
// either.
class TransformResult {
 public:
  enum class Kind { kKeep, kValue, kSkip };

  // The pixels, as they are now, are normalised, converted and laid out into the row; bytes stay as they are.
  static TransformResult Keep() { return TransformResult(Kind::kKeep); }
  // Stands in Batch::value(row) instead of pixels and bytes, and may carry a label of its own. Its memory is not
  // counted. It is released on whatever thread lets go of the batch last.
  static TransformResult Value(std::shared_ptr<void> value) {
    TransformResult result(Kind::kValue);
    result.value_ = std::move(value);
    return result;
  }
  // A bad sample for this reason: LoaderOptions::on_error decides.
  static TransformResult Skip(std::string reason) {
    TransformResult result(Kind::kSkip);
    result.reason_ = std::move(reason);
    return result;
  }

  Kind kind() const { return kind_; }
  const std::shared_ptr<void>& value() const { return value_; }
  const std::string& reason() const { return reason_; }

 private:
  explicit TransformResult(Kind kind) : kind_(kind) {}
  Kind kind_;
  std::shared_ptr<void> value_;
  std::string reason_;
};

// Called on several threads at a time, under no lock of the engine, also for rows that only fill up. May wait
// for whatever the consumer's thread holds while that is outside Next, Restore, Close and the destructor, which
// wait for it; must not call Restore, Close or the destructor itself. The same for the same (seed, epoch,
// position, index), if runs are to be the same.
using Transform = std::function<TransformResult(TransformSample&)>;

// What Next throws for a sample whose transform threw: on_error does not apply, since the user's code is at fault
// and not the data. uri() is the sample's.
class TransformError : public Error {
 public:
  TransformError(const Error& error, std::exception_ptr cause) : Error(error), cause_(std::move(cause)) {}

  // What the transform threw; never null.
  const std::exception_ptr& cause() const { return cause_; }

 private:
  std::exception_ptr cause_;
};

}  // namespace bucketline
