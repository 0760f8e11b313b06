#include "bucketline/runtime/ca_bundle.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

EnvironmentLookup Variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> const char* {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  };
}

TEST(CaBundle, WhatIsConfiguredWins) {
  EXPECT_EQ(ChooseCaBundle("/own.pem", Variables({{"AWS_CA_BUNDLE", "/aws.pem"}})), "/own.pem");
}

TEST(CaBundle, AwsVariableComesBeforeOpenSsls) {
  EXPECT_EQ(ChooseCaBundle("", Variables({{"AWS_CA_BUNDLE", "/aws.pem"}, {"SSL_CERT_FILE", "/ssl.pem"}})),
            "/aws.pem");
  EXPECT_EQ(ChooseCaBundle("", Variables({{"SSL_CERT_FILE", "/ssl.pem"}})), "/ssl.pem");
}

TEST(CaBundle, EmptyVariablesAreUnset) {
  EXPECT_EQ(ChooseCaBundle("", Variables({{"AWS_CA_BUNDLE", ""}, {"SSL_CERT_FILE", "/ssl.pem"}})),
            "/ssl.pem");
  EXPECT_EQ(ChooseCaBundle("", Variables({{"AWS_CA_BUNDLE", ""}, {"SSL_CERT_FILE", ""}})), "");
}

TEST(CaBundle, NothingMeansTheSystems) { EXPECT_EQ(ChooseCaBundle("", Variables({})), ""); }

}  // namespace
}  // namespace bucketline
