// Runs an endpoint until its standard input closes: for tests in other languages.
//
//   serve_tool [--folder PATH] [--region R] [--threads N] [--anonymous] [--all-requests]
//              [--slow-down P] [--reset-before P] [--reset-body P] [--truncate P] [--stall P]
//              [--seed N] [--latency 20ms] [--latency-median 20ms] [--latency-p99 200ms] [--min-part-size
//              5MiB]
//
// Prints one line of JSON when it listens: {"endpoint_url", "access_key_id", "secret_access_key", "region"}.
#include <cerrno>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/serve/server.h"

namespace {

void WaitForEndOfInput() {
  char ignored[256];
  while (true) {
    const ssize_t size = read(STDIN_FILENO, ignored, sizeof ignored);
    if (size == 0 || (size < 0 && errno != EINTR)) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bucketline;
  CLI::App app("An S3 endpoint for tests");
  ServerOptions options;
  FaultPlan& faults = options.faults;
  std::string folder, latency = "0ms", median = "0ms", p99 = "0ms", min_part_size = "5MiB";
  bool all_requests = false;
  app.add_option("--folder", folder);
  app.add_option("--region", options.region);
  app.add_option("--threads", options.threads);
  app.add_flag("--anonymous", options.anonymous);
  app.add_flag("--all-requests", all_requests);
  app.add_option("--slow-down", faults.slow_down);
  app.add_option("--reset-before", faults.reset_before);
  app.add_option("--reset-body", faults.reset_body);
  app.add_option("--truncate", faults.truncate);
  app.add_option("--stall", faults.stall);
  app.add_option("--seed", faults.seed);
  app.add_option("--latency", latency);
  app.add_option("--latency-median", median);
  app.add_option("--latency-p99", p99);
  app.add_option("--min-part-size", min_part_size);
  CLI11_PARSE(app, argc, argv);
  try {
    faults.data_only = !all_requests;
    faults.latency = ParseDuration(latency);
    faults.latency_median = ParseDuration(median);
    faults.latency_p99 = ParseDuration(p99);
    options.min_part_size = ParseByteSize(min_part_size);
    Server server(options, folder.empty() ? MakeMemoryBuckets() : MakeFolderBuckets(folder));
    std::cout << nlohmann::json{{"endpoint_url", server.endpoint_url()},
                                {"access_key_id", server.access_key_id()},
                                {"secret_access_key", server.secret_access_key()},
                                {"region", options.region}}
              << std::endl;
    WaitForEndOfInput();
  } catch (const Error& error) {
    std::cerr << "serve_tool: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
