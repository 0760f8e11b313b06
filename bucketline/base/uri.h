// Uri: where data lives: s3://bucket/key, file:///path, a plain path, or mem://name/key in tests.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

struct Uri {
  std::string scheme;  // "s3", "file" or "mem"; a plain path is "file"
  std::string bucket;  // of s3 and mem; empty for files
  std::string key;  // without a leading slash for s3 and mem, taken literally (no %-decoding, S3 keys are any
                    // bytes); for files the path, absolute or relative as it was given

  // Throws kInvalidArgument naming the text: unknown scheme, missing or malformed bucket.
  static Uri Parse(std::string_view text);

  // "s3://bucket/key"; for files the path itself.
  std::string ToString() const;

  // The URI of `name` below this one: joined with exactly one "/" unless the key is empty or ends with one.
  Uri Join(std::string_view name) const;

  friend bool operator==(const Uri&, const Uri&) = default;
};

}  // namespace bucketline
