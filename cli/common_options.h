// Options that several sub-commands share, and what they make.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/stream.h"
#include "bucketline/loader/loader.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline::cli {

// How S3 is reached.
struct ConnectionArgs {
  RuntimeOptions runtime;

  void AddTo(CLI::App& app);
};

// What is read, and how it is labelled.
struct DatasetArgs {
  std::string uri;
  std::string labels = "none";
  std::string label_key = "file";
  std::string label_field = "label";
  Missing missing = Missing::kError;
  std::string extensions = ".jpg,.jpeg,.png";
  std::string pin = "etag";
  std::string classes;      // names, comma-separated; empty: those that occur
  std::string default_uri;  // of a channel, outside a job
  std::string format = "auto";
  std::string format_option = "--format";  // what it is called where "--format" means something else
  std::string split;
  std::string parts;
  bool skip_damaged = false;
  std::stop_token stop = {};  // of Open

  void AddTo(CLI::App& app, std::string default_labels);

  // Opens `uri` (or `other_uri` by the same rules) with progress on a terminal.
  Dataset Open(Runtime& runtime) const { return Open(runtime, uri); }
  Dataset Open(Runtime& runtime, const std::string& other_uri) const;

  PinMode Pin() const;

  // The same, after `change` has seen what is opened, and with which options.
  Dataset OpenWith(
      Runtime& runtime, const std::string& other_uri,
      const std::function<void(const std::vector<std::string>& uris, DatasetOptions* options)>& change) const;

  // The training channel that `uri` names, if it came as a Pipe. Throws kInvalidArgument for labels that are looked up by
  // a key.
  std::optional<Stream> OpenPipe(Runtime& runtime) const;

 private:
  Labels MakeLabels() const;
  Labels RuleOfLabels() const;  // before classes are given
};

// Adds an option whose value is one of a few words, which `help` lists. `Target` is E or an optional of it.
template <typename E, typename Target>
CLI::Option* AddNamed(CLI::App& app, const std::string& name, Target& target,
                      const std::map<std::string, E>& names, const std::string& help) {
  return app.add_option(name, target, help)->transform(CLI::CheckedTransformer(names).description(""));
}

// Adds an option whose text `parse` turns into `target`; an Error of `parse` is wrong usage and names the
// option.
template <typename T>
CLI::Option* AddParsed(CLI::App& app, const std::string& name, T& target,
                       std::function<T(const std::string&)> parse, const std::string& help) {
  return app.add_option_function<std::string>(
      name,
      [name, &target, parse = std::move(parse)](const std::string& text) {
        try {
          target = parse(text);
        } catch (const Error& error) {
          throw CLI::ValidationError(name, error.message());
        }
      },
      help);
}

// --cache and --cache-size, of commands that read records.
void AddCacheOptions(CLI::App& app, CacheOptions& target);

CLI::Option* AddByteSize(CLI::App& app, const std::string& name, uint64_t& target, const std::string& help);
// Shards that a shuffle has open at a time; 0 without the option.
CLI::Option* AddWindow(CLI::App& app, uint64_t& target);

CLI::Option* AddOnError(CLI::App& app, OnError& target);

// Writes each bad sample to `path` as a JSON line (when it is not empty) and warns of the first few. The
// result may be called from any thread and shares its file.
std::function<void(const BadSample&)> BadSampleReport(const std::string& path, const LogSink& log);

}  // namespace bucketline::cli
