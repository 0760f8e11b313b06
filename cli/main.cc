// The bucketline command: parse, call, print.
#include <cstdio>
#include <optional>
#include <string_view>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/trainer_program.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/exec/heap_policy.h"

namespace bucketline::cli {
namespace {

int Report(const Error& error, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {{"error", ErrorCodeName(error.code())},
                                           {"message", error.message()},
                                           {"uri", error.uri()},
                                           {"http_status", error.http_status()},
                                           {"request_id", error.request_id()}};
    fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  fmt::print(stderr, "bucketline: {}\n", error.what());
  return kFailed;
}

int Main(int argc, char** argv) {
  CLI::App app("bucketline trains deep-learning models on data that stays in S3.", "bucketline");
  app.set_version_flag("--version", BUCKETLINE_VERSION);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  app.footer(
      "Ctrl-C or SIGTERM ends a command cleanly; what is not done two seconds later, or after "
      "BUCKETLINE_GRACE "
      "(such as 30s), is cut.");
  Invocation invocation;
  AddLs(app, invocation);
  AddIndex(app, invocation);
  AddDiff(app, invocation);
  AddGet(app, invocation);
  AddPut(app, invocation);
  AddCost(app, invocation);
  AddPack(app, invocation);
  AddPlan(app, invocation);
  AddPipe(app, invocation);
  AddTrain(app, invocation);
  AddBench(app, invocation);
  AddDoctor(app, invocation);
  AddServe(app, invocation);
  AddMount(app, invocation);
  AddJob(app, invocation);
  AddCache(app, invocation);
  AddSynthesize(app, invocation);
  std::optional<Interrupt> interrupt;
  try {
    app.parse(argc, argv);
    interrupt.emplace(invocation.hurry);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUsage;
  } catch (const Error& error) {  // the text of an option, or of a variable, that does not parse
    fmt::print(stderr, "bucketline: {}\n", error.what());
    return kWrongUsage;
  }

  try {
    const int code = invocation.run(interrupt->token());
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw Error(ErrorCode::kIo, "cannot write to standard output: is its disk full?");
    }
    return code;
  } catch (const Error& error) {
    if (interrupt->token().stop_requested()) {
      fmt::print(stderr, "bucketline: interrupted\n");
      return kInterrupted;
    }
    return Report(error, invocation.json);
  } catch (const std::exception& exception) {
    return Report(Error(ErrorCode::kInternal, exception.what()), invocation.json);
  }
}

}  // namespace
}  // namespace bucketline::cli

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "train") {
    bucketline::cli::ContinueAsTrainer(argv);
    bucketline::KeepFreedMemory();
  }
  return bucketline::cli::Main(argc, argv);
}
