// RankGroup on LibTorch's c10d: Gloo, which meets at a TCPStore.
#include <algorithm>
#include <charconv>
#include <cstring>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/base/error.h"
#include "bucketline/train/nn/rank_group.h"

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace bucketline::nn {
namespace {

constexpr char kFailure[] = "failure";
constexpr size_t kFailureLength = 2000;

using std::chrono::milliseconds;

std::string Seconds(milliseconds timeout) { return std::to_string(timeout.count() / 1000) + " s"; }

bool IsTimeout(std::string_view message) {
  return message.find("imed out") != message.npos || message.find("imeout") != message.npos;
}

// LibTorch's own account without its stack.
std::string MessageOf(const std::exception& error) {
  const auto* c10_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = c10_error != nullptr ? c10_error->what_without_backtrace() : error.what();
  // Gloo names its source file first and gives advice last.
  const size_t begin = text.starts_with('[') ? text.find("] ") + 2 : 0;
  return text.substr(begin, std::min(text.find('\n'), text.find(". This is typically")) - begin);
}

at::Tensor BytesTensor(std::string_view bytes) {
  at::Tensor tensor = ::torch::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

std::string BytesOf(const at::Tensor& tensor, int64_t size) {
  return {static_cast<const char*>(tensor.const_data_ptr()), static_cast<size_t>(size)};
}

class C10dGroup : public RankGroup {
 public:
  C10dGroup(const Ranks& ranks, milliseconds timeout, c10::intrusive_ptr<c10d::Store> store)
      : rank_(static_cast<int>(ranks.rank)),
        size_(static_cast<int>(ranks.world_size)),
        timeout_(timeout),
        store_(std::move(store)) {
    try {
      // The device of GLOO_SOCKET_IFNAME, else the one of this host's name.
      auto options = c10d::ProcessGroupGloo::Options::create_default(timeout);
      gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, rank_, size_, options);
    } catch (const std::exception& error) {
      throw Translated(error);
    }
  }

  size_t rank() const override { return static_cast<size_t>(rank_); }
  size_t size() const override { return static_cast<size_t>(size_); }

  std::unique_ptr<Pending> Sum(const at::Tensor& tensor) override {
    std::vector<at::Tensor> tensors = {tensor};
    return std::make_unique<Work>(*this, Started([&] { return gloo_->allreduce(tensors); }));
  }

  void Broadcast(const std::vector<at::Tensor>& tensors) override {
    std::vector<std::pair<at::Tensor, std::unique_ptr<Pending>>> under_way;
    for (const at::Tensor& tensor : tensors) {
      const at::Tensor here = tensor.detach().to(at::kCPU).contiguous();
      std::vector<at::Tensor> one = {here};
      under_way.emplace_back(here,
                             std::make_unique<Work>(*this, Started([&] { return gloo_->broadcast(one); })));
    }
    const ::torch::NoGradGuard no_grad;
    for (size_t i = 0; i < tensors.size(); ++i) {
      under_way[i].second->Wait();
      at::Tensor target = tensors[i].detach();
      if (!root()) target.copy_(under_way[i].first);
    }
  }

  std::string Broadcast(std::string bytes) override {
    at::Tensor size = ::torch::tensor(static_cast<int64_t>(bytes.size()), at::kLong).reshape({1});
    Broadcast(std::vector<at::Tensor>{size});
    const auto length = size.item<int64_t>();
    if (length == 0) return {};
    const at::Tensor tensor = root() ? BytesTensor(bytes) : ::torch::empty({length}, at::kByte);
    Broadcast(std::vector<at::Tensor>{tensor});
    return BytesOf(tensor, length);
  }

  std::vector<std::string> Gather(std::string_view bytes) override {
    const std::vector<at::Tensor> sizes =
        AllGather(::torch::tensor(static_cast<int64_t>(bytes.size()), at::kLong).reshape({1}));
    int64_t longest = 1;
    for (const at::Tensor& size : sizes) longest = std::max(longest, size.item<int64_t>());
    at::Tensor mine = ::torch::zeros({longest}, at::kByte);
    std::memcpy(mine.data_ptr(), bytes.data(), bytes.size());
    const std::vector<at::Tensor> all = AllGather(mine);
    std::vector<std::string> result;
    for (size_t i = 0; i < all.size(); ++i) result.push_back(BytesOf(all[i], sizes[i].item<int64_t>()));
    return result;
  }

  void Fail(const std::string& why) noexcept override {
    try {
      const std::string word = "rank " + std::to_string(rank_) + " ended: " + why.substr(0, kFailureLength);
      store_->compareSet(kFailure, std::vector<uint8_t>(), {word.begin(), word.end()});
    } catch (const std::exception&) {
      // The store went with rank 0; the others see that this one is gone.
    }
  }

 private:
  class Work : public Pending {
   public:
    Work(C10dGroup& group, c10::intrusive_ptr<c10d::Work> work) : group_(group), work_(std::move(work)) {}
    void Wait() override {
      try {
        work_->wait();
      } catch (const std::exception& error) {
        throw group_.Translated(error);
      }
    }

   private:
    C10dGroup& group_;
    c10::intrusive_ptr<c10d::Work> work_;
  };

  template <typename F>
  c10::intrusive_ptr<c10d::Work> Started(const F& start) {
    try {
      return start();
    } catch (const std::exception& error) {
      throw Translated(error);
    }
  }

  std::vector<at::Tensor> AllGather(const at::Tensor& mine) {
    std::vector<std::vector<at::Tensor>> all(1);
    for (int i = 0; i < size_; ++i) all[0].push_back(::torch::empty_like(mine));
    std::vector<at::Tensor> input = {mine};
    Work(*this, Started([&] { return gloo_->allgather(all, input); })).Wait();
    return all[0];
  }

  Error Translated(const std::exception& error) {
    const std::string message = MessageOf(error);
    const std::string reason = LastWord();
    if (!reason.empty()) return Error(ErrorCode::kConnection, reason);
    if (IsTimeout(message)) {
      return Error(
          ErrorCode::kTimeout,
          "rank " + std::to_string(rank_) + " has waited " + Seconds(timeout_) +
              " for the other ranks; one of them hangs, or does more work than that between two steps, "
              "which a longer rank timeout allows (" +
              message + ")");
    }
    return Error(
        ErrorCode::kConnection,
        "rank " + std::to_string(rank_) +
            " has lost another rank, which has ended without a word; its log or its host says why. Start "
            "the job again with resume to go on from the last checkpoint (" +
            message + ")");
  }

  // What a rank said before it ended; "" when none has.
  std::string LastWord() noexcept {
    try {
      if (!store_->check({kFailure})) return "";
      const std::vector<uint8_t> word = store_->get(kFailure);
      return {word.begin(), word.end()};
    } catch (const std::exception&) {
      return "";  // the store went with rank 0
    }
  }

  const int rank_;
  const int size_;
  const milliseconds timeout_;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
};

std::string Required(const VariableLookup& variables, const char* name) {
  const std::optional<std::string> value = variables(name);
  if (value && !value->empty()) return *value;
  throw Error(
      ErrorCode::kInvalidArgument,
      std::string("several ranks meet at MASTER_ADDR:MASTER_PORT, and ") + name +
          " is not set; start them with torchrun --no-python, or set both to a free port of rank 0's host");
}

uint16_t Port(const std::string& text) {
  uint16_t port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (status != std::errc() || end != text.data() + text.size() || port == 0)
    throw Error(ErrorCode::kInvalidArgument, "MASTER_PORT is \"" + text + "\", which is no port");
  return port;
}

}  // namespace

std::unique_ptr<RankGroup> JoinRanks(const Ranks& ranks, Duration timeout, const VariableLookup& variables) {
  const milliseconds limit = std::chrono::duration_cast<milliseconds>(timeout);
  const std::string host = Required(variables, "MASTER_ADDR");
  c10d::TCPStoreOptions options;
  options.port = Port(Required(variables, "MASTER_PORT"));
  // torchrun's agent has the store already, and keeps it when a rank dies.
  options.isServer = ranks.rank == 0 && variables("TORCHELASTIC_USE_AGENT_STORE") != "True";
  options.numWorkers = ranks.world_size;
  options.waitWorkers = false;
  options.timeout = limit;
  c10::intrusive_ptr<c10d::Store> store;
  try {
    store = c10::make_intrusive<c10d::TCPStore>(host, options);
  } catch (const std::exception& error) {
    throw Error(ErrorCode::kTimeout, "rank " + std::to_string(ranks.rank) + " of " +
                                         std::to_string(ranks.world_size) + " cannot meet the others at " +
                                         host + ":" + std::to_string(options.port) + ": " + MessageOf(error));
  }
  // A restarted job finds nothing of the attempt before.
  const std::string attempt = variables("TORCHELASTIC_RESTART_COUNT").value_or("0");
  return std::make_unique<C10dGroup>(
      ranks, limit,
      c10::make_intrusive<c10d::PrefixStore>("bucketline/attempt-" + attempt, std::move(store)));
}

}  // namespace bucketline::nn
