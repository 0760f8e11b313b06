#include "bucketline/store/parallel_list.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "bucketline/store/linked_stop.h"
#include "bucketline/store/list_estimate.h"

namespace bucketline {
namespace {

struct Answer {
  ListSchedule::Ask ask;
  Result<ListPage> page;
};

// Where answers wait for the thread that lists. Each call is completed by its store, soon after a stop at the latest.
class Inbox {
 public:
  void Put(Answer answer) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    wake_.notify_one();
  }

  Answer Take() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return !answers_.empty(); });
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Answer> answers_;
};

class Lister {
 public:
  Lister(ObjectStore& store, const ParallelListRequest& request)
      : store_(store),
        request_(request),
        schedule_(request.prefix, request.ranges, request.width, request.page_keys) {}

  // Nothing of it is under way afterwards.
  ~Lister() {
    own_stop_.request_stop();
    while (under_way_ > 0) Take();
  }

  void Run(const std::function<bool(ListedRange listed)>& take) {
    while (!schedule_.done()) {
      while (std::optional<ListSchedule::Ask> ask = schedule_.Next()) Send(*std::move(ask));
      Answer answer = Take();
      if (answer.ask.folders) {
        TakeFolders(answer);
      } else if (!take(TakePage(std::move(answer)))) {
        return;
      }
    }
  }

 private:
  void Send(ListSchedule::Ask ask) {
    ListRequest request{.prefix = ask.prefix,
                        .delimiter = ask.folders ? "/" : "",
                        .start_after = ask.start_after,
                        .token = ask.token,
                        .max_keys = ask.folders ? 1000 : request_.page_keys,
                        .versions = request_.versions,
                        .stop = stop_.token()};
    ++under_way_;
    store_.List(std::move(request), [inbox = inbox_, ask = std::move(ask)](Result<ListPage> page) {
      inbox->Put({ask, std::move(page)});
    });
  }

  Answer Take() {
    Answer answer = inbox_->Take();
    --under_way_;
    return answer;
  }

  // Only hints come of it, so an error is left to the pages, which meet it if it is more than a missing feature.
  void TakeFolders(const Answer& answer) {
    if (answer.page.ok()) {
      schedule_.TakeFolders(answer.ask.id, *answer.page);
    } else {
      schedule_.FoldersFailed(answer.ask.id);
    }
  }

  ListedRange TakePage(Answer answer) {
    ListPage page = std::move(answer.page).ValueOrThrow();
    const Error stuck(ErrorCode::kUnavailable,
                      "the listing does not advance: the store gave the same token twice",
                      store_.UriOf(request_.prefix));
    if (!page.next_token.empty() && page.next_token == answer.ask.token) throw stuck;
    Result<ListedRange> listed = Catch([&] { return schedule_.TakePage(answer.ask.id, std::move(page)); });
    if (!listed) throw listed.error().WithUri(store_.UriOf(request_.prefix));
    objects_ += listed->objects.size();
    const double pages = static_cast<double>(objects_) / request_.page_keys;
    std::optional<double> left = estimate_.Take(pages, schedule_.PagesLeft());
    if (schedule_.done()) left = 0;
    if (left && request_.width > 1) listed->left = static_cast<uint64_t>(*left * request_.page_keys);
    return *std::move(listed);
  }

  ObjectStore& store_;
  const ParallelListRequest& request_;
  ListSchedule schedule_;
  ListEstimate estimate_;
  uint64_t objects_ = 0;
  std::stop_source own_stop_;
  LinkedStop stop_{request_.stop, own_stop_.get_token()};
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  size_t under_way_ = 0;
};

}  // namespace

void ListInParallel(ObjectStore& store, const ParallelListRequest& request,
                    const std::function<bool(ListedRange listed)>& take) {
  Lister(store, request).Run(take);
}

}  // namespace bucketline
