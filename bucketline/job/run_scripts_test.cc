#include "bucketline/job/run_scripts.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunScriptsTest : public ::testing::Test {
 protected:
  ScriptCommand Shell(const std::string& script, const std::string& host = "algo-1") const {
    return {
        .host = host, .words = {"sh", "-c", script}, .environment = {}, .log = folder_.Path(host + ".log")};
  }

  ScriptsResult Run(const std::vector<ScriptCommand>& commands) {
    return RunScripts(
        commands, limits_,
        [this](std::string_view host, std::string_view line) {
          lines_.push_back(std::string(host) + ": " + std::string(line));
          if (on_line_) on_line_(std::string(line));
        },
        stop_.get_token(), kill_.get_token());
  }

  // Of a process that a script printed. One that has ended may still wait for its parent, as a zombie.
  static bool Runs(const std::string& pid) {
    std::ifstream file("/proc/" + pid + "/stat");
    std::string number, name, state;
    return file >> number >> name >> state && state != "Z" && state != "X";
  }

  std::string Log(const std::string& host) const {
    std::ifstream file(folder_.Path(host + ".log"), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const testing::TempFolder folder_;
  ScriptLimits limits_;
  std::stop_source stop_;
  std::stop_source kill_;
  std::function<void(const std::string& line)> on_line_;
  std::vector<std::string> lines_;
};

TEST_F(RunScriptsTest, LinesAreForwardedInOrderAndKept) {
  const ScriptsResult result = Run({Shell("echo one; echo two >&2; printf three")});
  EXPECT_EQ(result.end, ScriptsEnd::kEnded);
  EXPECT_THAT(result.exit_codes, ElementsAre(0));
  EXPECT_THAT(lines_, ElementsAre("algo-1: one", "algo-1: two", "algo-1: three"));
  EXPECT_EQ(Log("algo-1"), "one\ntwo\nthree");
}

TEST_F(RunScriptsTest, ALineWithoutEndIsCut) {
  Run({Shell("head -c 200000 /dev/zero | tr '\\0' x; echo; echo end")});
  size_t bytes = 0;
  for (const std::string& line : lines_) bytes += line.size() - std::string("algo-1: ").size();
  EXPECT_EQ(bytes, 200003u);
  EXPECT_THAT(lines_.size(), 5u);
  EXPECT_EQ(lines_.back(), "algo-1: end");
}

TEST_F(RunScriptsTest, TheEnvironmentIsInheritedAndChanged) {
  ASSERT_EQ(setenv("BUCKETLINE_TEST_KEPT", "kept", 1), 0);
  ASSERT_EQ(setenv("BUCKETLINE_TEST_CHANGED", "old", 1), 0);
  ScriptCommand command = Shell("echo $BUCKETLINE_TEST_KEPT $BUCKETLINE_TEST_CHANGED $NEW; cat; kill -0 -$$");
  command.environment = {{"BUCKETLINE_TEST_CHANGED", "new"}, {"NEW", "a b"}};
  EXPECT_THAT(Run({command}).exit_codes,
              ElementsAre(0));  // it leads a process group, and has nothing to read
  EXPECT_THAT(lines_, ElementsAre("algo-1: kept new a b"));
}

TEST_F(RunScriptsTest, ExitCodesAndSignals) {
  EXPECT_THAT(Run({Shell("exit 3")}).exit_codes, ElementsAre(3));
  EXPECT_THAT(Run({Shell("kill -9 $$")}).exit_codes, ElementsAre(128 + SIGKILL));
}

TEST_F(RunScriptsTest, ACommandThatIsNotThereSaysSo) {
  try {
    Run({{.host = "algo-1", .words = {"no-such-command"}, .environment = {}, .log = folder_.Path("log")}});
    FAIL() << "there is no such command";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("\"no-such-command\" cannot be started: No such file"));
  }
}

TEST_F(RunScriptsTest, ALogThatCannotBeWrittenIsNamed) {
  ScriptCommand command = Shell("true");
  command.log = folder_.Path("missing/log");
  try {
    Run({command});
    FAIL() << "there is no such folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.uri(), command.log);
  }
  command.log = "/dev/full";
  command.words = {"echo", "text"};
  EXPECT_THROW(Run({command}), Error);
}

TEST_F(RunScriptsTest, StopLetsTheScriptEndItself) {
  on_line_ = [this](const std::string& line) {
    if (line == "ready") stop_.request_stop();
  };
  const ScriptsResult result =
      Run({Shell("trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.01; done")});
  EXPECT_EQ(result.end, ScriptsEnd::kStopped);
  EXPECT_THAT(result.exit_codes, ElementsAre(0));
  EXPECT_THAT(lines_, Contains("algo-1: saved"));  // some shells tell of the sleep that ended, too
}

TEST_F(RunScriptsTest, AProgramBelowAShellHasTheGraceToo) {
  on_line_ = [this](const std::string& line) {
    if (line == "ready") stop_.request_stop();
  };
  Run(
      {Shell("sh -c 'trap \"sleep 0.2; echo saved; exit 0\" TERM; echo ready; while :; do sleep 0.01; done'; "
             "true")});
  EXPECT_THAT(lines_, Contains("algo-1: saved"));  // some shells tell of the sleep that ended, too
}

TEST_F(RunScriptsTest, TheGraceEnds) {
  limits_.grace = std::chrono::milliseconds(100);
  on_line_ = [this](const std::string&) { stop_.request_stop(); };
  const ScriptsResult result = Run({Shell("trap '' TERM; echo ready; while :; do sleep 1000; done")});
  EXPECT_EQ(result.end, ScriptsEnd::kStopped);
  EXPECT_THAT(result.exit_codes, ElementsAre(128 + SIGKILL));
}

TEST_F(RunScriptsTest, TheRuntimeEnds) {
  limits_.max_runtime = std::chrono::milliseconds(100);
  const ScriptsResult result = Run({Shell("exec sleep 1000")});
  EXPECT_EQ(result.end, ScriptsEnd::kTimedOut);
  EXPECT_THAT(result.exit_codes, ElementsAre(128 + SIGTERM));
}

TEST_F(RunScriptsTest, KillDoesNotAsk) {
  on_line_ = [this](const std::string&) { kill_.request_stop(); };
  const ScriptsResult result =
      Run({Shell("trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done")});
  EXPECT_EQ(result.end, ScriptsEnd::kKilled);
  EXPECT_THAT(result.exit_codes, ElementsAre(128 + SIGKILL));
  EXPECT_THAT(lines_, ElementsAre("algo-1: ready"));
}

TEST_F(RunScriptsTest, KillEndsTheGrace) {
  on_line_ = [this](const std::string& line) { (line == "ready" ? stop_ : kill_).request_stop(); };
  const ScriptsResult result =
      Run({Shell("trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done")});
  EXPECT_EQ(result.end, ScriptsEnd::kKilled);
}

TEST_F(RunScriptsTest, AStopBeforeTheStartCounts) {
  stop_.request_stop();
  EXPECT_EQ(Run({Shell("exec sleep 1000")}).end, ScriptsEnd::kStopped);
}

TEST_F(RunScriptsTest, AFailedHostEndsTheOthers) {
  const ScriptsResult result = Run({Shell("exec sleep 1000", "algo-1"), Shell("exit 7", "algo-2")});
  EXPECT_EQ(result.end, ScriptsEnd::kEnded);
  EXPECT_THAT(result.exit_codes, ElementsAre(128 + SIGTERM, 7));
  EXPECT_EQ(result.first_failed, 1u);
}

TEST_F(RunScriptsTest, AHostThatIsDoneLetsTheOthersGoOn) {
  // The second goes on once the first has been reaped and its line has come.
  const std::string pid = folder_.Path("pid"), go = folder_.Path("go");
  on_line_ = [&](const std::string&) { std::ofstream{go}; };
  const ScriptsResult result = Run({Shell("echo $$ > " + pid + "; echo a", "algo-1"),
                                    Shell("read x < /dev/null; until [ -e " + go + " ] && ! kill -0 $(cat " +
                                              pid + ") 2>/dev/null; do sleep 0.01; done; echo b",
                                          "algo-2")});
  EXPECT_THAT(result.exit_codes, ElementsAre(0, 0));
  EXPECT_THAT(lines_, ElementsAre("algo-1: a", "algo-2: b"));
}

TEST_F(RunScriptsTest, AnEndlessWriterIsStoppedToo) {
  on_line_ = [this](const std::string&) {
    if (lines_.size() == 1000) stop_.request_stop();
  };
  EXPECT_EQ(Run({Shell("exec yes")}).end, ScriptsEnd::kStopped);
}

TEST_F(RunScriptsTest, WhatAScriptLeavesIsKilled) {
  for (const std::string start : {"sleep 1000 &", "setsid sleep 1000 &",
                                  "nohup sh -c 'trap \"\" TERM; sleep 1000' &", "env -i sleep 1000 &"}) {
    lines_.clear();
    EXPECT_THAT(Run({Shell(start + " echo $!")}).exit_codes, ElementsAre(0));
    ASSERT_EQ(lines_.size(), 1u) << start;
    EXPECT_FALSE(Runs(lines_[0].substr(8))) << start;
  }
}

TEST_F(RunScriptsTest, AnErrorLeavesNothingRunning) {
  std::string pid;
  on_line_ = [&](const std::string& line) {
    pid = line;
    throw Error(ErrorCode::kIo, "no more");
  };
  EXPECT_THROW(Run({Shell("echo $$; exec sleep 1000")}), Error);
  EXPECT_FALSE(Runs(pid));
}

TEST_F(RunScriptsTest, StopFromAnotherThread) {
  std::atomic<bool> ready = false;
  on_line_ = [&](const std::string&) {
    ready = true;
    ready.notify_all();
  };
  std::thread stopper([&] {
    ready.wait(false);
    stop_.request_stop();
  });
  EXPECT_EQ(Run({Shell("echo ready; exec sleep 1000")}).end, ScriptsEnd::kStopped);
  stopper.join();
}

}  // namespace
}  // namespace bucketline
