// How often random tests try.
#pragma once

#include <cstdlib>
#include <string>

namespace bucketline::testing {

// `usual`, unless this variable of the environment asks for another number: ./run soak sets it.
inline int SoakCount(const char* variable, int usual) {
  const char* wanted = std::getenv(variable);
  return wanted == nullptr ? usual : std::stoi(wanted);
}

}  // namespace bucketline::testing
