#include "bucketline/http/address_book.h"

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/http/curl_transport.h"
#include "bucketline/http/exchange_test_util.h"
#include "bucketline/http/loopback_server_test_util.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// A name server whose answers a test sets; shared with the book's thread, which may outlive the test.
struct Names {
  std::mutex mutex;
  std::vector<std::string> answer;
  int questions = 0;

  static AddressBook::Resolve Resolver(std::shared_ptr<Names> names) {
    return [names](const std::string&) {
      std::lock_guard lock(names->mutex);
      ++names->questions;
      return names->answer;
    };
  }
  void Set(std::vector<std::string> addresses) {
    std::lock_guard lock(mutex);
    answer = std::move(addresses);
  }
  int asked() {
    std::lock_guard lock(mutex);
    return questions;
  }
};

class AddressBookTest : public ::testing::Test {
 protected:
  // Whose turn it is once something is known.
  std::string Next() {
    const SteadyTime end = Clock::Real().Now() + std::chrono::seconds(120);
    while (Clock::Real().Now() < end) {
      if (auto address = book_->Next("store.test")) return *address;
      std::this_thread::yield();
    }
    return "(none)";
  }
  std::vector<std::string> NextOnes(int count) {
    std::vector<std::string> addresses;
    for (int i = 0; i < count; ++i) addresses.push_back(Next());
    return addresses;
  }
  // Once every address of these has had a turn again.
  void WaitForAll(size_t count) {
    std::map<std::string, int> seen;
    const SteadyTime end = Clock::Real().Now() + std::chrono::seconds(120);
    while (seen.size() < count && Clock::Real().Now() < end) ++seen[Next()];
    EXPECT_EQ(seen.size(), count);
  }

  std::shared_ptr<Names> names_ = std::make_shared<Names>();
  ManualClock clock_{WallTime{}};
  std::optional<AddressBook> book_{std::in_place, Names::Resolver(names_), &clock_};
};

TEST_F(AddressBookTest, EveryAddressHasItsTurn) {
  names_->Set({"10.0.0.1", "10.0.0.2", "fd00::3"});
  EXPECT_EQ(book_->Next("store.test"), std::nullopt);  // never waits
  EXPECT_THAT(NextOnes(3), UnorderedElementsAre("10.0.0.1", "10.0.0.2", "[fd00::3]"));
  EXPECT_EQ(NextOnes(3), NextOnes(3));
  EXPECT_EQ(names_->asked(), 1);
}

TEST_F(AddressBookTest, OneAddressAndNumbersAreLeftToLibcurl) {
  names_->Set({"10.0.0.1"});
  EXPECT_EQ(book_->Next("store.test"), std::nullopt);
  for (const char* host : {"127.0.0.1", "[::1]", "::1"}) EXPECT_EQ(book_->Next(host), std::nullopt);
  while (names_->asked() == 0) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(book_->Next("store.test"), std::nullopt);
  EXPECT_EQ(names_->asked(), 1);
}

TEST_F(AddressBookTest, LaterAnswersJoinAndOldOnesGo) {
  names_->Set({"10.0.0.1", "10.0.0.2"});
  NextOnes(1);
  names_->Set({"10.0.0.3", "10.0.0.4"});
  clock_.Advance(std::chrono::seconds(31));
  NextOnes(1);
  WaitForAll(4);
  EXPECT_EQ(names_->asked(), 2);
  // Until the first two have not been seen for more than five minutes.
  std::set<std::string> left;
  const SteadyTime end = Clock::Real().Now() + std::chrono::seconds(120);
  while (left.size() != 2 && Clock::Real().Now() < end) {
    clock_.Advance(std::chrono::seconds(31));
    const std::vector<std::string> turns = NextOnes(8);
    left = {turns.begin(), turns.end()};
  }
  EXPECT_THAT(left, ElementsAre("10.0.0.3", "10.0.0.4"));
}

TEST_F(AddressBookTest, WhereNobodyAnsweredIsLeftOutForAWhile) {
  names_->Set({"10.0.0.1", "10.0.0.2"});
  Next();
  book_->Failed("store.test", "10.0.0.1");
  EXPECT_THAT(NextOnes(3), ElementsAre("10.0.0.2", "10.0.0.2", "10.0.0.2"));
  book_->Failed("store.test", "10.0.0.2");
  EXPECT_NE(Next(), "(none)");
  clock_.Advance(std::chrono::seconds(30));
  WaitForAll(2);
}

// Asserts that nobody asks it any more once its owner is gone.
class OwnedClock : public ManualClock {
 public:
  SteadyTime Now() const override {
    EXPECT_FALSE(gone) << "the time is asked for after the book's end";
    return ManualClock::Now();
  }
  std::atomic<bool> gone = false;
};

TEST_F(AddressBookTest, AResolutionThatHangsHoldsNobodyUp) {
  std::promise<void> begun, release, ended;
  // Dropped with the book's thread, after its last deed.
  const auto at_end = [&ended](int* token) {
    delete token;
    ended.set_value();
  };
  OwnedClock clock;
  book_.emplace(
      [&begun, &release, token = std::shared_ptr<int>(new int, at_end)](const std::string&) {
        begun.set_value();
        release.get_future().wait();
        return std::vector<std::string>{"10.0.0.1"};
      },
      &clock);
  EXPECT_EQ(book_->Next("store.test"), std::nullopt);
  begun.get_future().wait();
  book_.reset();
  clock.gone = true;
  release.set_value();
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(120)), std::future_status::ready);
}

TEST(AddressBookSystemTest, ResolvesTheLoopback) {
  EXPECT_THAT(AddressBook::ResolveBySystem("localhost"), ::testing::Contains("127.0.0.1"));
  EXPECT_THAT(AddressBook::ResolveBySystem("no-such-host.invalid"), ::testing::IsEmpty());
}

TEST(AddressBookTransportTest, ConnectionsSpreadAndTheDeadAddressIsAvoided) {
  LoopbackServer first(LoopbackServer::Always("ok"), 1);
  LoopbackServer second(LoopbackServer::Always("ok"), 2, first.port());
  LoopbackServer third(LoopbackServer::Always("ok"), 3, first.port());
  const auto names = std::make_shared<Names>();
  names->Set({"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"});  // nobody listens at the last one
  const auto book = std::make_shared<AddressBook>(Names::Resolver(names));
  while (!book->Next("store.test")) std::this_thread::yield();
  CurlTransportOptions options;
  options.addresses = book;
  const auto transport = MakeCurlTransport(options);
  const std::string url = "http://store.test:" + std::to_string(first.port()) + "/";
  int failures = 0;
  for (int i = 0; i < 40; ++i) failures += !Exchange::Start(*transport, Get(url))->Wait().ok();
  EXPECT_EQ(failures, 1);
  for (const LoopbackServer* server : {&first, &second, &third}) EXPECT_EQ(server->connections(), 1u);
}

}  // namespace
}  // namespace bucketline
