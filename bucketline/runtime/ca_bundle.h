// Which certificates the network threads trust.
#pragma once

#include <functional>
#include <string>

namespace bucketline {

// The value of an environment variable, nullptr when unset: std::getenv, or a test's own.
using EnvironmentLookup = std::function<const char*(const char* name)>;

// The PEM file to verify servers with: `configured`, else AWS_CA_BUNDLE, else SSL_CERT_FILE, else "" (the
// system's). Empty variables count as unset.
std::string ChooseCaBundle(const std::string& configured, const EnvironmentLookup& environment);

}  // namespace bucketline
