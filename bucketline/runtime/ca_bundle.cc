#include "bucketline/runtime/ca_bundle.h"

namespace bucketline {

std::string ChooseCaBundle(const std::string& configured, const EnvironmentLookup& environment) {
  if (!configured.empty()) return configured;
  for (const char* name : {"AWS_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* value = environment(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "";
}

}  // namespace bucketline
