// bucketline ls: the objects under a prefix.
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/live_line.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/store/blocking.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  std::string uri;
  bool count_only = false;
  bool folders = false;
};

struct Totals {
  uint64_t objects = 0;
  uint64_t folders = 0;
  uint64_t bytes = 0;
};

void Print(const ListPage& page, bool json) {
  for (const std::string& prefix : page.prefixes) {
    if (json) {
      fmt::print("{}\n", nlohmann::json{{"prefix", prefix}}.dump(-1, ' ', true));
    } else {
      fmt::print("{:>12}  {}\n", "PREFIX", prefix);
    }
  }
  for (const ObjectInfo& object : page.objects) {
    if (json) {
      const nlohmann::ordered_json line = {{"key", object.key}, {"size", object.size}, {"etag", object.etag}};
      fmt::print("{}\n", line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
    } else {
      fmt::print("{:>12}  {}\n", object.size, object.key);
    }
  }
}

int Run(const Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  const Uri uri = Uri::Parse(args.uri);
  const std::shared_ptr<ObjectStore> store = runtime.StoreFor(uri);
  LiveLine line;
  Totals totals;
  ListRequest request{
      .prefix = Runtime::KeyOf(uri), .delimiter = args.folders ? "/" : "", .max_keys = 1000, .stop = stop};
  do {
    const ListPage page = ListOnePage(*store, request);
    totals.objects += page.objects.size();
    totals.folders += page.prefixes.size();
    for (const ObjectInfo& object : page.objects) totals.bytes += object.size;
    if (args.count_only) {
      line.Update([&] { return fmt::format("{} objects", totals.objects); });
    } else {
      line.Clear();
      Print(page, json);
    }
    request.token = page.next_token;
  } while (!request.token.empty());
  line.Clear();
  if (totals.objects + totals.folders == 0) {
    throw Error(ErrorCode::kNotFound, "nothing here; check the prefix (keys are compared byte by byte)",
                args.uri);
  }
  if (json) {
    const nlohmann::ordered_json object = {
        {"objects", totals.objects}, {"prefixes", totals.folders}, {"bytes", totals.bytes}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} objects, {}\n", totals.objects, FormatByteSize(totals.bytes));
  }
  return kDone;
}

}  // namespace

void AddLs(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("ls", "list objects and count them");
  sub->add_option("uri", args->uri, "s3://bucket/prefix or a folder")->required();
  sub->add_flag("--count", args->count_only, "only the closing line");
  sub->add_flag("--folders", args->folders, "one level: roll up what lies deeper");
  sub->add_flag("--json", invocation.json, "JSON lines, the totals last");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token stop) { return Run(*args, invocation.json, stop); };
  });
}

}  // namespace bucketline::cli
