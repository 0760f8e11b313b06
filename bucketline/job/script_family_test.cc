#include "bucketline/job/script_family.h"

#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A shell in a session of its own that runs `script`; ended and waited for at the end.
class Child {
 public:
  Child(const std::string& script, const std::string& mark) {
    std::vector<std::string> words = {"sh", script};
    char* const arguments[] = {words[0].data(), words[1].data(), nullptr};
    std::string padding = "PADDING=" + std::string(20000, 'x');
    std::string marked = mark;
    char* const environment[] = {padding.data(), marked.data(), nullptr};
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    EXPECT_EQ(posix_spawn(&pid_, "/bin/sh", nullptr, &attributes, arguments, environment), 0);
    posix_spawnattr_destroy(&attributes);
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

class ScriptFamilyTest : public ::testing::Test {
 protected:
  std::string Script(const std::string& text) const {
    std::ofstream(folder_.Path("script.sh")) << text;
    return folder_.Path("script.sh");
  }

  const testing::TempFolder folder_;
  const std::string mark_ = fmt::format("BUCKETLINE_TEST_FAMILY={}", getpid());
};

TEST_F(ScriptFamilyTest, TheMarkOrTheSessionMakesAMember) {
  const Child marked(Script("while :; do read line < /dev/zero; done"), mark_);
  const Child other(Script("while :; do read line < /dev/zero; done"), mark_ + "0");
  EXPECT_THAT((ScriptFamily{.session = -1, .mark = mark_}.Living()), ElementsAre(marked.pid()));
  EXPECT_THAT((ScriptFamily{.session = other.pid(), .mark = "NO=ONE"}.Living()), ElementsAre(other.pid()));
}

TEST_F(ScriptFamilyTest, AMemberIsSeenWhileItStartsPrograms) {
  const Child child(Script("exec sh \"$0\""), mark_);
  const ScriptFamily family{.session = -1, .mark = mark_};
  for (int i = 0; i < 500 && !HasFailure(); ++i) EXPECT_THAT(family.Living(), Contains(child.pid())) << i;
  EXPECT_TRUE(family.Kill(true));
  EXPECT_THAT(family.Living(), IsEmpty());
}

}  // namespace
}  // namespace bucketline
