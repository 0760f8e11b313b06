#include "bucketline/dataset/pipe_source.h"

namespace bucketline {

PipeSource::PipeSource(const ChannelPlace& place, uint64_t epoch, Duration patience,
                       const std::stop_token& stop)
    : turn_(place) {
  const PipeState state(place);
  do {
    number_ = state.Next();
    file_.reset();  // the next FIFO is made once this one is let go
    file_ = std::make_unique<PipeFile>(place.Fifo(number_), patience, stop);
    file_->AwaitWriter();  // a FIFO that was let go before is not read: it is still the next one
    state.Begin(number_);
  } while (number_ < epoch);
  records_ = std::make_unique<PipeRecords>(*file_);
}

}  // namespace bucketline
