// Parquet columns, read a row at a time: where the bytes of its values are, or what its values are. Of a file no more than
// one page a column is held.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bucketline/records/hybrid_reader.h"
#include "bucketline/records/parquet_page.h"

namespace bucketline {

// What goes from row to row through the pages of a column in one row group, leaving the values to a derived class.
// All throw ShardDamage and kUnsupported, as ParquetPages.
class ParquetRows {
 public:
  ParquetRows(ShardBytes& shard, ParquetChunkPlace place);
  virtual ~ParquetRows() = default;

  // Where the page of the last row begins, for messages.
  uint64_t page_offset() const { return page_.header; }
  // After the group's last row: nothing may be left of the page.
  void Finish() const;

 protected:
  // Goes on to the next row; false: it is null.
  bool NextRow();

  ShardBytes& shard() const { return shard_; }
  const ParquetColumn& column() const { return *place_.column; }
  const ParquetPage& page() const { return page_; }
  [[noreturn]] void Damaged(const std::string& what) const;
  [[noreturn]] void Refuse(const std::string& what) const { RefuseParquet(place_, page_.header, what); }
  // The number of the next value's entry in the dictionary.
  uint64_t NextIndex(uint64_t dictionary_size);
  bool HasIndices() const;

 private:
  virtual void TakeDictionary() = 0;        // page() is one
  virtual void TakePage() = 0;              // page() holds values, not indices
  virtual uint64_t ValuesLeft() const = 0;  // of that page, not yet taken; what is not known is 0
  void NextPage();

  ShardBytes& shard_;
  const ParquetChunkPlace place_;
  ParquetPages pages_;
  ParquetPage page_;
  HybridReader levels_;
  HybridReader indices_;
  uint64_t rows_left_ = 0;  // of the page
};

struct ParquetBytes {
  uint64_t offset = 0;
  uint64_t length = 0;
};

// Of columns of bytes.
class ParquetPlaces : public ParquetRows {
 public:
  using ParquetRows::ParquetRows;
  // Of the next row; nullopt: it is null.
  std::optional<ParquetBytes> Next();

 private:
  void TakeDictionary() override { dictionary_ = Walk(); }
  void TakePage() override;
  uint64_t ValuesLeft() const override { return values_.size() - taken_; }
  std::vector<ParquetBytes> Walk();

  std::vector<ParquetBytes> dictionary_;
  std::vector<ParquetBytes> values_;  // of the page
  size_t taken_ = 0;
};

// Of columns of numbers and of short texts.
class ParquetValues : public ParquetRows {
 public:
  using ParquetRows::ParquetRows;
  // Of the next row; nullopt: it is null.
  std::optional<LabelValue> Next();

 private:
  void TakeDictionary() override;
  void TakePage() override;
  uint64_t ValuesLeft() const override { return 0; }
  void LoadPage();
  LabelValue TakeValue();
  LabelValue TakeBoolean();
  std::string_view TakeBytes(uint64_t size);

  std::vector<LabelValue> dictionary_;
  std::string values_;  // of the page
  size_t at_ = 0;
  uint64_t bit_ = 0;  // of the next boolean
  HybridReader booleans_;
};

}  // namespace bucketline
