// bucketline serve: a small S3 endpoint over a folder or memory.
#include <condition_variable>
#include <memory>
#include <mutex>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/serve/server.h"
#include "bucketline/store/make_folder.h"

namespace bucketline::cli {
namespace {

struct Args {
  std::string folder;
  bool memory = false;
  std::vector<std::string> buckets;
  bool verbose = false;
  ServerOptions server;
};

std::unique_ptr<BucketProvider> OpenBuckets(const Args& args) {
  if (args.memory) return MakeMemoryBuckets();
  MakeFolder(args.folder);
  return MakeFolderBuckets(args.folder);
}

void MakeWantedBuckets(BucketProvider& provider, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!IsValidNewBucketName(name)) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not a bucket name", name));
    }
    provider.Create(name);
  }
}

void PrintHowToReach(const Server& server, const std::string& region, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {{"endpoint_url", server.endpoint_url()},
                                           {"access_key_id", server.access_key_id()},
                                           {"secret_access_key", server.secret_access_key()},
                                           {"region", region}};
    fmt::print("{}\n", object.dump());
  } else {
    // Ready for a shell: eval, or paste.
    fmt::print(
        "export AWS_ENDPOINT_URL_S3={}\nexport AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n"
        "export AWS_REGION={}\n",
        server.endpoint_url(), server.access_key_id(), server.secret_access_key(), region);
  }
  std::fflush(stdout);
}

void WaitFor(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, stop, [] { return false; });
}

int Run(Args& args, bool json, std::stop_token stop) {
  args.server.log = LogToStderr(args.verbose ? LogLevel::kDebug : LogLevel::kWarning);
  Server server(args.server, OpenBuckets(args));
  MakeWantedBuckets(server.buckets(), args.buckets);
  PrintHowToReach(server, args.server.region, json);
  WaitFor(std::move(stop));
  server.Stop();
  return kDone;
}

CLI::Option* AddShare(CLI::App& app, const std::string& name, double& target, const std::string& help) {
  return app.add_option(name, target, help)->check(CLI::Range(0.0, 1.0))->group("Faults");
}

CLI::Option* AddLatency(CLI::App& app, const std::string& name, Duration& target, const std::string& help) {
  return AddParsed<Duration>(
             app, name, target, [](const std::string& text) { return ParseDuration(text); }, help)
      ->group("Faults");
}

}  // namespace

void AddServe(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("serve", "a small S3 endpoint over a folder or memory, until Ctrl-C");
  ServerOptions& server = args->server;
  auto* folder = sub->add_option("folder", args->folder, "each folder in it is a bucket");
  auto* memory = sub->add_flag("--memory", args->memory, "keep objects in RAM instead");
  folder->excludes(memory);
  sub->add_option("--bucket", args->buckets, "make this bucket (repeatable)");
  sub->add_option("--address", server.address, "loopback unless told otherwise")->capture_default_str();
  sub->add_option("--port", server.port, "0: any free one")->capture_default_str();
  sub->add_option("--access-key-id", server.access_key_id, "else random keys are made")
      ->envname("AWS_ACCESS_KEY_ID");
  sub->add_option("--secret-access-key", server.secret_access_key, "better given as AWS_SECRET_ACCESS_KEY")
      ->envname("AWS_SECRET_ACCESS_KEY");
  sub->add_option("--region", server.region)->capture_default_str();
  sub->add_flag("--anonymous", server.anonymous, "serve unsigned requests too");
  sub->add_flag("--verbose", args->verbose, "a line for each failed request");
  sub->add_flag("--json", invocation.json, "how to reach it as JSON");
  FaultPlan& faults = server.faults;
  AddShare(*sub, "--slow-down", faults.slow_down, "share of GETs answered 503 SlowDown");
  AddShare(*sub, "--reset-before", faults.reset_before, "share reset before the answer");
  AddShare(*sub, "--reset-body", faults.reset_body, "share reset inside the body");
  AddShare(*sub, "--truncate", faults.truncate, "share whose body ends early");
  AddShare(*sub, "--stall", faults.stall, "share whose body never ends");
  sub->add_option("--most-at-once", faults.most_at_once, "GETs at a time; more are answered 503 SlowDown")
      ->group("Faults");
  sub->add_option("--fault-seed", faults.seed)->group("Faults");
  AddLatency(*sub, "--latency", faults.latency, "before the first byte, such as 50ms");
  AddLatency(*sub, "--latency-median", faults.latency_median, "log-normal latency instead");
  AddLatency(*sub, "--latency-p99", faults.latency_p99, "of the log-normal latency");
  sub->callback([args, &invocation] {
    if (args->folder.empty() && !args->memory) throw CLI::RequiredError("a folder or --memory");
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
