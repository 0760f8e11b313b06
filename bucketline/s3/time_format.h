// The three ways in which S3 writes a moment.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"

namespace bucketline {

// "20130524T000000Z": x-amz-date. The first eight characters are the date of the credential scope.
std::string FormatAmzDate(WallTime time);

// "Fri, 24 May 2013 00:00:00 GMT": Date and Last-Modified.
std::optional<WallTime> ParseHttpDate(std::string_view text);

// "2013-05-24T00:00:00.000Z": listings and error documents.
std::optional<WallTime> ParseIsoDate(std::string_view text);

}  // namespace bucketline
