// Owners for libcurl's handles.
#pragma once

#include <memory>

#include <curl/curl.h>

namespace bucketline {

// CURL and CURLM are both void to the compiler, so the owners must differ in more than their pointers.
struct CurlEasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct CurlMultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct CurlListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;
using CurlMulti = std::unique_ptr<CURLM, CurlMultiDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

// Both initialise libcurl first and throw kResourceExhausted when it has no memory or file descriptors left.
CurlEasy MakeCurlEasy();
CurlMulti MakeCurlMulti();

}  // namespace bucketline
