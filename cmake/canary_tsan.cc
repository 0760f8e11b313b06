// Two threads change one integer without a lock: a build with ThreadSanitizer that ends well here checks
// nothing.
#include <cstdio>
#include <thread>

int main() {
  volatile int shared = 0;
  const auto change = [&shared] {
    for (int i = 0; i < 1000; ++i) shared = shared + 1;
  };
  std::thread first(change);
  std::thread second(change);
  first.join();
  second.join();
  std::puts("no report up to here");
}
