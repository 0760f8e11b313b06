// What every sub-command is: options added to the command line, and a function that runs.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include <CLI/CLI.hpp>

namespace bucketline::cli {

// Exit codes of the program.
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr int kInterrupted = 130;  // as shells report a program that SIGINT ended

// Set by the sub-command that was named.
struct Invocation {
  std::function<int(std::stop_token stop)> run;  // returns the exit code; may throw Error
  bool json = false;                             // results as JSON on standard output
  std::optional<std::stop_source> hurry = {};    // when a clean end may take long: see Interrupt
};

// Each adds one sub-command, one file each.
void AddLs(CLI::App& app, Invocation& invocation);
void AddIndex(CLI::App& app, Invocation& invocation);
void AddDiff(CLI::App& app, Invocation& invocation);
void AddGet(CLI::App& app, Invocation& invocation);
void AddPut(CLI::App& app, Invocation& invocation);
void AddCost(CLI::App& app, Invocation& invocation);
void AddPack(CLI::App& app, Invocation& invocation);
void AddPlan(CLI::App& app, Invocation& invocation);
void AddPipe(CLI::App& app, Invocation& invocation);
void AddDoctor(CLI::App& app, Invocation& invocation);
void AddBench(CLI::App& app, Invocation& invocation);
void AddTrain(CLI::App& app, Invocation& invocation);
void AddServe(CLI::App& app, Invocation& invocation);
void AddMount(CLI::App& app, Invocation& invocation);
void AddJob(CLI::App& app, Invocation& invocation);
void AddCache(CLI::App& app, Invocation& invocation);
void AddSynthesize(CLI::App& app, Invocation& invocation);

}  // namespace bucketline::cli
