#include "tests/support/server_process.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/support/free_port.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bucketline::testing {
namespace {

constexpr auto kStartPatience = std::chrono::seconds(120);

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

std::string FileText(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string RandomHex(size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device device;
  std::string text;
  while (text.size() < digits) text.push_back(kDigits[device() & 15]);
  return text;
}

void SkipOrFailWithout(const std::string& server, const std::string& variable) {
  const char* ci = std::getenv("CI");
  const std::string reason = server + " is not installed: set " + variable + ", or put it into PATH";
  if (ci != nullptr && std::string_view(ci) == "true") FAIL() << reason;
  GTEST_SKIP() << reason;
}

std::string ServerProcess::FindProgram(const char* variable, const std::string& name) {
  if (const char* named = std::getenv(variable); named != nullptr && *named != '\0') return named;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = folder + "/" + name;
    if (!folder.empty() && access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

ServerProcess::ServerProcess(const std::string& name, std::string health, const MakeCommand& make) {
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  port_ = FreePort();
  Spawn(make(port_, folder()));
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (Request("GET", health) == 200) return;
    if (std::chrono::steady_clock::now() > deadline) break;
    poll(nullptr, 0, 10);  // between looks at its health: another process gives no event to wait for
  }
  Stop();
  const std::string output = FileText(folder_.Path("log"));
  throw std::runtime_error(name + " did not become ready: " + output);
}

ServerProcess::~ServerProcess() { Stop(); }

void ServerProcess::Spawn(const Command& command) {
  const std::string log = folder_.Path("log");
  std::vector<std::string> words = command.words;
  std::vector<std::string> variables = command.variables;
  variables.insert(variables.end(), {"PATH=/usr/bin:/bin", "HOME=" + folder_.path()});
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
  execve(words.front().c_str(), argv.data(), envp.data());
  _exit(127);
}

int ServerProcess::Request(const std::string& method, const std::string& path) const {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{.tv_sec = 5, .tv_usec = 0};
  setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address = Loopback(port_);
  std::string answer(64, '\0');
  const std::string request =
      method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  const bool sent = connect(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                    send(socket_fd, request.data(), request.size(), MSG_NOSIGNAL) == ssize_t(request.size());
  const ssize_t got = sent ? recv(socket_fd, answer.data(), answer.size(), 0) : 0;
  close(socket_fd);
  return got > 12 ? std::atoi(answer.substr(9, 3).c_str()) : 0;
}

void ServerProcess::Stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace bucketline::testing
