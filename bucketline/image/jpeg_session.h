// JpegSession: libjpeg's decompressor with its error exits turned into exceptions and bytes read from memory.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

#include <jpeglib.h>

namespace bucketline {

class JpegSession {
 public:
  JpegSession();
  ~JpegSession();
  JpegSession(const JpegSession&) = delete;
  JpegSession& operator=(const JpegSession&) = delete;

  jpeg_decompress_struct& cinfo() { return cinfo_; }

  // Forgets the image before this one and reads from `data`, which must outlive the decode.
  void SetSource(std::span<const uint8_t> data);

  // From here on missing data is noted, not thrown: libjpeg makes up the rest.
  void KeepTruncated() { keep_ = true; }
  bool truncated() const { return truncated_; }

  // True once libjpeg has asked for bytes behind the end. It then saw an end-of-image marker.
  bool ran_out() const { return ran_out_; }

  // Runs `call`, which may use libjpeg. Throws kCorruptData where libjpeg gives up. libjpeg jumps out of
  // `call`, so it must hold nothing that has a destructor.
  template <typename Call>
  void Run(Call call) {
    if (setjmp(jump_) == 0) {
      call();
    } else {
      Fail();
    }
  }

  // Notes missing data where libjpeg did not notice. Throws kCorruptData unless it is to be kept.
  void NoteTruncated();

 private:
  // libjpeg's callbacks find their session in client_data.
  static void OnError(j_common_ptr common);
  static void OnMessage(j_common_ptr common, int level);
  static void OnProgress(j_common_ptr common);
  static boolean FillInput(j_decompress_ptr cinfo);
  static void SkipInput(j_decompress_ptr cinfo, long bytes);
  [[noreturn]] void FailTruncated();
  [[noreturn]] void Fail();

  jpeg_decompress_struct cinfo_{};
  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  bool ran_out_ = false;
  bool truncated_ = false;
  bool keep_ = false;
  bool too_many_scans_ = false;
};

}  // namespace bucketline
