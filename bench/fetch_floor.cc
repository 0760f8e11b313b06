// fetch_floor URLS COUNT CONNECTIONS: what bare libcurl needs for COUNT GETs of the (presigned) URLs of a file, a line
// each, over kept connections: a multi handle, one thread, bodies copied into memory and nothing else. Prints JSON.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <time.h>

namespace {

struct Transfer {
  CURL* easy = nullptr;
  std::vector<char> body = {};
  size_t size = 0;
};

size_t Keep(char* data, size_t size, size_t count, void* to) {
  auto& transfer = *static_cast<Transfer*>(to);
  if (transfer.size + size * count > transfer.body.size()) transfer.body.resize(transfer.size + size * count);
  std::memcpy(transfer.body.data() + transfer.size, data, size * count);
  transfer.size += size * count;
  return size * count;
}

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: fetch_floor URLS COUNT CONNECTIONS\n");
    return 2;
  }
  std::vector<std::string> urls;
  std::ifstream file(argv[1]);
  for (std::string line; std::getline(file, line);) urls.push_back(line);
  const size_t total = std::strtoull(argv[2], nullptr, 10);
  std::vector<Transfer> transfers(std::strtoull(argv[3], nullptr, 10));
  if (urls.empty() || transfers.empty()) {
    std::fprintf(stderr, "fetch_floor: no URL in %s, or no connections\n", argv[1]);
    return 1;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(2 * transfers.size()));

  size_t started = 0, done = 0;
  uint64_t bytes = 0;
  const auto start = [&](Transfer& transfer) {
    transfer.size = 0;
    curl_easy_setopt(transfer.easy, CURLOPT_URL, urls[started++ % urls.size()].c_str());
    curl_multi_add_handle(multi, transfer.easy);
  };
  const double cpu = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  for (Transfer& transfer : transfers) {
    transfer.easy = curl_easy_init();
    curl_easy_setopt(transfer.easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(transfer.easy, CURLOPT_WRITEFUNCTION, &Keep);
    curl_easy_setopt(transfer.easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(transfer.easy, CURLOPT_BUFFERSIZE, 65536L);
    curl_easy_setopt(transfer.easy, CURLOPT_NOSIGNAL, 1L);
    if (started < total) start(transfer);
  }
  while (done < total) {
    int running = 0, left = 0;
    curl_multi_perform(multi, &running);
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      CURL* easy = message->easy_handle;
      char* owner = nullptr;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      if (message->data.result != CURLE_OK || status != 200) {
        std::fprintf(stderr, "fetch_floor: a GET failed: %s, HTTP status %ld\n",
                     curl_easy_strerror(message->data.result), status);
        return 1;
      }
      auto& transfer = *reinterpret_cast<Transfer*>(owner);
      bytes += transfer.size;
      ++done;
      curl_multi_remove_handle(multi, easy);
      if (started < total) start(transfer);
    }
    if (done < total) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("{\"requests\": %zu, \"bytes\": %llu, \"seconds\": %.6f, \"cpu_us_per_request\": %.3f}\n", done,
              static_cast<unsigned long long>(bytes), seconds.count(),
              (CpuSeconds() - cpu) * 1e6 / static_cast<double>(done));
  for (const Transfer& transfer : transfers) curl_easy_cleanup(transfer.easy);
  curl_multi_cleanup(multi);
}
