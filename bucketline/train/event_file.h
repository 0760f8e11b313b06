// TensorBoard's event files: Event messages in TFRecord frames. Pure functions of bytes.
// Sources: tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto, and "TFRecords format
// details" in TensorFlow's documentation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bucketline {

// Appends one frame: length, its CRC, the data, its CRC.
void AppendRecord(std::string_view data, std::string& file);

// Serialised Event messages. `wall_time` in seconds since 1970.
std::string FileVersionEvent(double wall_time);  // the first of every file
std::string ScalarEvent(double wall_time, int64_t step, std::string_view tag, float value);
// A run that begins or goes on at `step`: what an earlier one wrote of this step and later is void.
std::string SessionStartEvent(double wall_time, int64_t step);

}  // namespace bucketline
