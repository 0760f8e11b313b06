// The bytes of an answer's head and of its error document.
#pragma once

#include <cstdint>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/serve/answer.h"

namespace bucketline::serve {

struct RenderedAnswer {
  std::string head;     // status line and headers, with the empty line at the end
  std::string body;     // empty to a HEAD and when the body comes from a store
  uint64_t length = 0;  // of the body that will follow, from here or from a store
};

// `resource` is the request's path, for error documents. Bytes that cannot stand in a header become "?".
RenderedAnswer RenderAnswer(const Answer& answer, bool to_head, bool keep_alive, const std::string& resource,
                            const std::string& request_id, WallTime now);

}  // namespace bucketline::serve
