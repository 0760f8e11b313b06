// bucketline ls: the objects under a prefix.
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/live_line.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/dataset/listing_pace.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/parallel_list.h"

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

// In order, page after page.
Totals InOrder(ObjectStore& store, ListRequest request, bool count_only, bool json) {
  Totals totals;
  do {
    const ListPage page = ListOnePage(store, request);
    totals.objects += page.objects.size();
    totals.folders += page.prefixes.size();
    for (const ObjectInfo& object : page.objects) totals.bytes += object.size;
    if (!count_only) Print(page, json);
    request.token = page.next_token;
  } while (!request.token.empty());
  return totals;
}

// Many pages at a time. Files are counted one page after another: a walk through folders is not waiting.
Totals CountAll(ObjectStore& store, const Uri& uri, std::stop_token stop) {
  LiveLine line;
  ListingPace pace;
  Totals totals;
  ParallelListRequest request{.prefix = Runtime::KeyOf(uri), .stop = std::move(stop)};
  if (uri.scheme == "file") request.width = 1;
  ListInParallel(store, request, [&](const ListedRange& listed) {
    totals.objects += listed.objects.size();
    for (const ObjectInfo& object : listed.objects) totals.bytes += object.size;
    const ListingProgress progress = pace.Take(totals.objects, listed.left);
    line.Update([&] { return ListingText(progress); });
    return true;
  });
  return totals;
}

int Run(const Args& args, bool json, const std::stop_token& stop) {
  Runtime runtime(args.connection.runtime);
  const Uri uri = Uri::Parse(args.uri);
  const std::shared_ptr<ObjectStore> store = runtime.StoreFor(uri);
  const Totals totals =
      args.count_only && !args.folders
          ? CountAll(*store, uri, stop)
          : InOrder(*store,
                    {.prefix = Runtime::KeyOf(uri), .delimiter = args.folders ? "/" : "", .stop = stop},
                    args.count_only, json);
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
    invocation.run = [args, &invocation](const std::stop_token& stop) {
      return Run(*args, invocation.json, stop);
    };
  });
}

}  // namespace bucketline::cli
