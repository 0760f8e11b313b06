#include "src/tf_filesystem/transfer.h"

#include <algorithm>
#include <vector>

#include "src/tf_filesystem/folders.h"
#include "src/tf_filesystem/object_file.h"
#include "src/tf_filesystem/object_reader.h"

#include "bucketline/store/blocking.h"

namespace bucketline::tf {
namespace {

constexpr uint64_t kPiece = 8 << 20;

void RenameFolder(const Place& source, const Place& target) {
  const std::string from = source.folder();
  const std::string to = target.folder();
  if (source.store == target.store && to.starts_with(from)) {
    throw Error(ErrorCode::kInvalidArgument, "a folder cannot be moved into itself", source.uri());
  }
  const std::vector<ObjectInfo> objects = ListAll(*source.store, from);
  for (const ObjectInfo& object : objects) {
    CopyOne(source.At(object.key), target.At(to + object.key.substr(from.size())));
  }
  const Deletion deletion = DeleteAll(source, objects);
  if (deletion.first_failure) throw *deletion.first_failure;
}

}  // namespace

void CopyOne(const Place& source, const Place& target) {
  ObjectReader reader(source);
  ObjectFile file(target);
  std::vector<uint8_t> piece(std::min(reader.size(), kPiece));
  while (file.size() < reader.size()) {
    file.Append(std::span(piece).first(reader.Read(file.size(), piece)));
  }
  file.Close();
}

void Rename(const Place& source, const Place& target) {
  if (source.uri() == target.uri()) return;
  if (Find(source).is_folder) return RenameFolder(source, target);
  CopyOne(source, target);
  DeleteObject(*source.store, source.key);
}

}  // namespace bucketline::tf
