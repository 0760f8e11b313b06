#include "bucketline/image/jpeg_session.h"

#include <array>

#include <jerror.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// A progressive file of a few kilobytes may ask for thousands of passes over all its pixels. Encoders make
// about ten.
constexpr int kMaxScans = 100;

constexpr std::array<JOCTET, 2> kEndOfImage = {0xff, JPEG_EOI};

JpegSession& Session(j_common_ptr common) { return *static_cast<JpegSession*>(common->client_data); }

}  // namespace

JpegSession::JpegSession() {
  cinfo_.err = jpeg_std_error(&errors_);
  errors_.error_exit = OnError;
  errors_.emit_message = OnMessage;
  errors_.output_message = [](j_common_ptr) {};
  cinfo_.client_data = this;
  Run([this] { jpeg_create_decompress(&cinfo_); });  // keeps err and client_data
  source_.init_source = [](j_decompress_ptr) {};
  source_.fill_input_buffer = FillInput;
  source_.skip_input_data = SkipInput;
  source_.resync_to_restart = jpeg_resync_to_restart;
  source_.term_source = [](j_decompress_ptr) {};
  cinfo_.src = &source_;
  progress_.progress_monitor = OnProgress;
  cinfo_.progress = &progress_;
}

JpegSession::~JpegSession() { jpeg_destroy_decompress(&cinfo_); }

void JpegSession::SetSource(std::span<const uint8_t> data) {
  jpeg_abort_decompress(&cinfo_);
  source_.next_input_byte = data.data();
  source_.bytes_in_buffer = data.size();
  ran_out_ = truncated_ = keep_ = too_many_scans_ = false;
  errors_.num_warnings = 0;
}

void JpegSession::OnError(j_common_ptr common) { std::longjmp(Session(common).jump_, 1); }

// Warnings are silent: decoders disagree on them and Pillow and TensorFlow go on. Only one means that pixels
// are missing: the entropy decoder wants bits that are behind the end of the data.
void JpegSession::OnMessage(j_common_ptr common, int level) {
  if (level >= 0) return;
  JpegSession& session = Session(common);
  if (common->err->msg_code == JWRN_HIT_MARKER && session.ran_out_) {
    session.truncated_ = true;
    if (!session.keep_) std::longjmp(session.jump_, 1);
  }
}

void JpegSession::OnProgress(j_common_ptr common) {
  JpegSession& session = Session(common);
  if (session.cinfo_.input_scan_number > kMaxScans) {
    session.too_many_scans_ = true;
    std::longjmp(session.jump_, 1);
  }
}

boolean JpegSession::FillInput(j_decompress_ptr cinfo) {
  Session(reinterpret_cast<j_common_ptr>(cinfo)).ran_out_ = true;
  cinfo->src->next_input_byte = kEndOfImage.data();
  cinfo->src->bytes_in_buffer = kEndOfImage.size();
  return TRUE;
}

void JpegSession::SkipInput(j_decompress_ptr cinfo, long bytes) {
  if (bytes <= 0) return;
  jpeg_source_mgr& source = *cinfo->src;
  if (static_cast<size_t>(bytes) > source.bytes_in_buffer) {
    FillInput(cinfo);
    return;
  }
  source.next_input_byte += bytes;
  source.bytes_in_buffer -= static_cast<size_t>(bytes);
}

void JpegSession::NoteTruncated() {
  truncated_ = true;
  if (!keep_) FailTruncated();
}

void JpegSession::FailTruncated() {
  throw Error(ErrorCode::kCorruptData, "truncated JPEG: the data ends before the image does");
}

void JpegSession::Fail() {
  if (truncated_ || (ran_out_ && !too_many_scans_)) FailTruncated();
  if (too_many_scans_) {
    throw Error(ErrorCode::kCorruptData,
                "corrupt JPEG: more than " + std::to_string(kMaxScans) + " scans in one image");
  }
  std::array<char, JMSG_LENGTH_MAX> text{};
  errors_.format_message(reinterpret_cast<j_common_ptr>(&cinfo_), text.data());
  throw Error(ErrorCode::kCorruptData, std::string("corrupt or unsupported JPEG: ") + text.data());
}

}  // namespace bucketline
