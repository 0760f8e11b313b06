// Writes past the end of a heap block: a build with AddressSanitizer that ends well here checks nothing.
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char**) {
  std::vector<int> block(4);
  volatile int* data = block.data();
  data[3 + argc] = 1;  // argc is 1; the compiler cannot know
  std::puts("the overflow went unnoticed");
  return EXIT_SUCCESS;
}
