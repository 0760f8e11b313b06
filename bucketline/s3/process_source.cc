#include "bucketline/s3/process_source.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/s3/child_process.h"
#include "bucketline/s3/credential_json.h"

namespace bucketline {
namespace {

constexpr size_t kMaxOutput = size_t{1} << 20;
constexpr size_t kMaxQuoted = 200;

// What the program says for people: the last line of its error stream. Its output, which may hold a secret, is never
// quoted.
std::string LastLine(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::string line(text.substr(text.rfind('\n') + 1).substr(0, kMaxQuoted));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return line;
}

}  // namespace

ProcessSource::ProcessSource(std::string command, std::string profile)
    : command_(std::move(command)), profile_(std::move(profile)) {}

Credentials ProcessSource::Fetch(std::stop_token stop) {
  const ChildResult result =
      RunChild(SplitCommandLine(command_), Name(), kDeadline, kMaxOutput, std::move(stop));
  if (result.exit_code != 0) {
    const std::string said = LastLine(result.err);
    throw Error(ErrorCode::kUnauthenticated, fmt::format("{} ended with code {}{}{}", Name(),
                                                         result.exit_code, said.empty() ? "" : ": ", said));
  }
  const nlohmann::json document = nlohmann::json::parse(result.out, nullptr, false);
  if (document.is_object() && document.value("Version", nlohmann::json()) != 1) {
    throw Error(ErrorCode::kUnsupported, fmt::format("{} printed a document whose Version is not 1", Name()));
  }
  return ParseCredentialJson(result.out, "SessionToken", Name());
}

std::string ProcessSource::Name() const {
  return fmt::format("the credential_process of profile '{}'", profile_);
}

}  // namespace bucketline
