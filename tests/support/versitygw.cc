#include "tests/support/versitygw.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bucketline::testing {
namespace {

constexpr auto kStartPatience = std::chrono::seconds(30);
constexpr int kTries = 5;  // a port that was free may be taken before the server has it

std::string RandomHex(size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device device;
  std::string text;
  while (text.size() < digits) text.push_back(kDigits[device() & 15]);
  return text;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int FreePort() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  const bool bound = bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                     getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(socket_fd);
  if (!bound) throw std::runtime_error("no free loopback port");
  return ntohs(address.sin_port);
}

std::string FileText(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string Versitygw::FindProgram() {
  if (const char* named = std::getenv("BUCKETLINE_VERSITYGW"); named != nullptr && *named != '\0')
    return named;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = folder + "/versitygw";
    if (!folder.empty() && access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

Versitygw::Versitygw(const std::string& program)
    : access_key_("test" + RandomHex(12)), secret_key_(RandomHex(32)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "bucketline-versitygw-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  folder_ = pattern;
  std::filesystem::create_directory(folder_ / "data");
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  for (int attempt = 1; attempt <= kTries; ++attempt) {
    Spawn(program);
    while (waitpid(pid_, nullptr, WNOHANG) == 0) {
      if (Ready()) return;
      if (std::chrono::steady_clock::now() > deadline) break;
      poll(nullptr, 0, 10);  // between looks at its health: another process gives no event to wait for
    }
    Stop();
  }
  const std::string output = FileText(folder_ / "log");
  std::filesystem::remove_all(folder_);
  throw std::runtime_error(program + " did not become ready: " + output);
}

Versitygw::~Versitygw() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Versitygw::Spawn(const std::string& program) {
  port_ = FreePort();
  const std::string address = "127.0.0.1:" + std::to_string(port_);
  const std::string data = (folder_ / "data").string();
  const std::string log = (folder_ / "log").string();
  std::vector<std::string> words = {program,    "--port",  address, "--quiet", "--keep-alive",
                                    "--health", "/health", "posix", data};
  // Keys go by the environment, not the command line, which every process can read.
  std::vector<std::string> variables = {"ROOT_ACCESS_KEY=" + access_key_, "ROOT_SECRET_KEY=" + secret_key_,
                                        "PATH=/usr/bin:/bin", "HOME=" + folder_.string()};
  std::vector<char*> argv, envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int log_fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(log_fd, STDOUT_FILENO);
  dup2(log_fd, STDERR_FILENO);
  execve(program.c_str(), argv.data(), envp.data());
  _exit(127);
}

bool Versitygw::Ready() const {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{.tv_sec = 5, .tv_usec = 0};
  setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address = Loopback(port_);
  std::string answer(64, '\0');
  const std::string request = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  const bool sent = connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                    send(socket_fd, request.data(), request.size(), MSG_NOSIGNAL) == ssize_t(request.size());
  const ssize_t got = sent ? recv(socket_fd, answer.data(), answer.size(), 0) : 0;
  close(socket_fd);
  return got > 12 && answer.substr(9, 3) == "200";
}

void Versitygw::Stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

S3Options Versitygw::Options() const {
  S3Options options;
  options.endpoint_url = "http://127.0.0.1:" + std::to_string(port_);
  options.region = "us-east-1";
  options.access_key_id = access_key_;
  options.secret_access_key = secret_key_;
  return options;
}

std::string Versitygw::MakeBucket() {
  const std::string name = "bucket-" + std::to_string(++buckets_);
  std::filesystem::create_directory(folder_ / "data" / name);  // what a folder of its root is to this server
  return name;
}

}  // namespace bucketline::testing
