#include "bucketline/serve/server.h"

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "bucketline/base/error.h"
#include "bucketline/serve/connection.h"
#include "bucketline/serve/endpoint.h"
#include "bucketline/serve/random_text.h"

namespace bucketline {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

constexpr size_t kWorkers = 4;
constexpr auto kPauseWithoutSockets = std::chrono::milliseconds(50);

ServerOptions Completed(ServerOptions options) {
  if (options.access_key_id.empty() != options.secret_access_key.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "give both an access key id and a secret access key, or none of them");
  }
  if (options.access_key_id.empty()) {
    options.access_key_id = serve::RandomText(20);
    options.secret_access_key = serve::RandomText(40);
  }
  if (options.threads == 0 || options.max_connections == 0) {
    throw Error(ErrorCode::kInvalidArgument, "an endpoint needs at least one thread and one connection");
  }
  if (!options.log) options.log = LogToNowhere();
  return options;
}

tcp::endpoint ParseAddress(const ServerOptions& options) {
  error_code error;
  const net::ip::address address = net::ip::make_address(options.address, error);
  if (error)
    throw Error(ErrorCode::kInvalidArgument, "'" + options.address + "' is not an IP address to listen on");
  return {address, options.port};
}

tcp::acceptor Listen(net::io_context& io, const ServerOptions& options) {
  const tcp::endpoint endpoint = ParseAddress(options);
  tcp::acceptor acceptor(net::make_strand(io));
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) {
    throw Error(ErrorCode::kIo, "cannot listen on " + options.address + ":" + std::to_string(options.port) +
                                    ": " + error.message() + "; choose another address or port");
  }
  return acceptor;
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, std::unique_ptr<BucketProvider> buckets)
      : buckets_(std::move(buckets)),
        options_(Completed(std::move(options))),
        stop_(),
        endpoint_{
            options_,
            {},
            stop_,
            {{options_.access_key_id, options_.secret_access_key, {}}, options_.region, options_.anonymous},
            serve::FaultInjector(options_.faults),
            {*buckets_, options_.region, options_.min_part_size, stop_.get_token()},
            {kWorkers, "serve-work"}},
        io_(static_cast<int>(options_.threads)),
        acceptor_(Listen(io_, options_)),
        pause_(acceptor_.get_executor()),
        bound_(acceptor_.local_endpoint()) {
    net::post(acceptor_.get_executor(), [this] { Accept(); });
    try {
      for (size_t i = 0; i < options_.threads; ++i)
        threads_.push_back(StartThread("serve-net", [this] { io_.run(); }));
    } catch (...) {
      Stop();
      throw;
    }
  }

  ~Impl() { Stop(); }

  void Stop() {
    std::lock_guard lock(stop_mutex_);
    if (stopped_) return;
    stopped_ = true;
    endpoint_.stop.request_stop();
    net::post(acceptor_.get_executor(), [this] {
      stopping_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      for (const std::weak_ptr<serve::Connection>& weak : connections_) {
        if (const std::shared_ptr<serve::Connection> connection = weak.lock()) connection->Stop();
      }
    });
    for (std::thread& thread : threads_) thread.join();
    endpoint_.workers.Stop();
  }

  std::string url() const {
    const std::string address = bound_.address().to_string();
    return "http://" + (bound_.address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(bound_.port());
  }
  const ServerOptions& options() const { return options_; }
  BucketProvider& buckets() { return *buckets_; }
  serve::Endpoint& endpoint() { return endpoint_; }

 private:
  void Accept() {
    if (stopping_) return;
    acceptor_.async_accept(net::make_strand(io_), [this](const error_code& error, tcp::socket socket) {
      if (stopping_) return;
      if (error) return Pause();  // out of file descriptors, most likely
      if (endpoint_.open_connections.load() >= options_.max_connections) {
        endpoint_.counters.connections_refused.Add();
        error_code ignored;
        socket.close(ignored);
      } else {
        const auto connection = std::make_shared<serve::Connection>(io_, std::move(socket), endpoint_);
        Remember(connection);
        connection->Start();
      }
      Accept();
    });
  }

  void Pause() {
    pause_.expires_after(kPauseWithoutSockets);
    pause_.async_wait([this](const error_code&) { Accept(); });
  }

  // Forgets those that are gone each time the list has doubled.
  void Remember(const std::shared_ptr<serve::Connection>& connection) {
    if (connections_.size() >= 2 * live_ + 64) {
      std::erase_if(connections_,
                    [](const std::weak_ptr<serve::Connection>& weak) { return weak.expired(); });
      live_ = connections_.size();
    }
    connections_.push_back(connection);
  }

  const std::unique_ptr<BucketProvider> buckets_;
  const ServerOptions options_;
  std::stop_source stop_;
  serve::Endpoint endpoint_;
  net::io_context io_;
  tcp::acceptor acceptor_;  // it and what follows it, up to `live_`: only on its strand
  net::steady_timer pause_;
  const tcp::endpoint bound_;
  std::vector<std::weak_ptr<serve::Connection>> connections_;
  size_t live_ = 0;
  bool stopping_ = false;
  std::mutex stop_mutex_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

Server::Server(ServerOptions options, std::unique_ptr<BucketProvider> buckets)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(buckets))) {}
Server::~Server() = default;

std::string Server::endpoint_url() const { return impl_->url(); }
const std::string& Server::access_key_id() const { return impl_->options().access_key_id; }
const std::string& Server::secret_access_key() const { return impl_->options().secret_access_key; }
BucketProvider& Server::buckets() { return impl_->buckets(); }
const ServerCounters& Server::counters() const { return impl_->endpoint().counters; }
void Server::SetFaults(const FaultPlan& plan) { impl_->endpoint().faults.Set(plan); }
void Server::Stop() { impl_->Stop(); }

}  // namespace bucketline
