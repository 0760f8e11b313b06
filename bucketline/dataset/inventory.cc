#include "bucketline/dataset/inventory.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/dataset/source.h"
#include "bucketline/records/csv.h"
#include "bucketline/records/gzip_inflater.h"
#include "bucketline/s3/percent_encoding.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestFile = uint64_t{4} << 30;  // compressed; it is held while it is read

struct InventoryFile {
  std::string key;
  std::string md5;  // hexadecimal; "" unknown
};

// Which column is what.
struct Columns {
  size_t count = 0;
  size_t key = 0;
  size_t size = 0;
  std::optional<size_t> etag;
  std::optional<size_t> version;
  std::optional<size_t> is_latest;
  std::optional<size_t> is_delete_marker;
};

struct InventoryManifest {
  InventorySummary summary;
  Columns columns;
  std::vector<InventoryFile> files;
};

std::string Text(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

[[noreturn]] void Refuse(const Uri& inventory, const std::string& problem) {
  throw Error(ErrorCode::kInvalidArgument, problem, inventory.ToString());
}

Columns ColumnsOf(const std::string& schema, const Uri& inventory, PinMode pin) {
  std::vector<std::string> names;
  for (size_t at = 0; at <= schema.size();) {
    const size_t end = std::min(schema.find(',', at), schema.size());
    std::string name = schema.substr(at, end - at);
    std::erase(name, ' ');
    names.push_back(std::move(name));
    at = end + 1;
  }
  const auto find = [&](const char* name) -> std::optional<size_t> {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) return std::nullopt;
    return static_cast<size_t>(it - names.begin());
  };
  const auto need = [&](const char* name, const char* why) {
    if (const std::optional<size_t> column = find(name)) return *column;
    Refuse(inventory, fmt::format("the inventory has no field {}, which {}; it has: {}", name, why, schema));
  };
  Columns columns{.count = names.size(),
                  .key = need("Key", "names the object"),
                  .size = need("Size", "every read is checked by"),
                  .etag = find("ETag"),
                  .version = find("VersionId"),
                  .is_latest = find("IsLatest"),
                  .is_delete_marker = find("IsDeleteMarker")};
  if (pin == PinMode::kEtag) need("ETag", "reads are pinned to; add it to the inventory, or pin by size");
  if (pin == PinMode::kVersion) need("VersionId", "reads are pinned to; add it to the inventory");
  return columns;
}

InventoryManifest ParseManifest(std::string_view text, const Uri& inventory, const Uri& prefix, PinMode pin) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("files") || !json["files"].is_array()) {
    Refuse(inventory,
           "this is not the manifest.json of an S3 Inventory: it is no JSON object with \"files\"");
  }
  if (const std::string bucket = Text(json, "sourceBucket"); bucket != prefix.bucket) {
    Refuse(inventory,
           fmt::format("this is the inventory of the bucket \"{}\", not of \"{}\"", bucket, prefix.bucket));
  }
  if (const std::string format = Text(json, "fileFormat"); format != "CSV") {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("the inventory is {}; configure it as CSV, or list the prefix", format),
                inventory.ToString());
  }
  InventoryManifest manifest;
  manifest.columns = ColumnsOf(Text(json, "fileSchema"), inventory, pin);
  for (const nlohmann::json& file : json["files"]) {
    manifest.files.push_back({.key = Text(file, "key"), .md5 = Text(file, "MD5checksum")});
    if (manifest.files.back().key.empty()) Refuse(inventory, "one of the inventory's files has no key");
  }
  manifest.summary.files = manifest.files.size();
  const std::string created = Text(json, "creationTimestamp");  // milliseconds
  if (!created.empty() && created.size() <= 15 &&
      std::all_of(created.begin(), created.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    manifest.summary.created =
        fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<time_t>(std::stoll(created) / 1000)));
  }
  return manifest;
}

// The objects of whole lines.
class LineReader {
 public:
  LineReader(const Columns& columns, const std::string& prefix, bool versions)
      : columns_(columns), prefix_(prefix), versions_(versions) {}

  std::vector<ObjectInfo> Read(std::string_view lines) {
    std::vector<ObjectInfo> objects;
    CsvReader reader(lines);
    while (std::optional<std::vector<std::string>> fields = reader.Next()) {
      if (fields->size() != columns_.count) {
        throw Error(ErrorCode::kCorruptData, fmt::format("a line has {} fields where the schema has {}",
                                                         fields->size(), columns_.count));
      }
      if (std::optional<ObjectInfo> object = Object(*fields)) objects.push_back(*std::move(object));
    }
    return objects;
  }

 private:
  std::optional<ObjectInfo> Object(const std::vector<std::string>& fields) const {
    if (columns_.is_latest && fields[*columns_.is_latest] != "true") return std::nullopt;
    if (columns_.is_delete_marker && fields[*columns_.is_delete_marker] == "true") return std::nullopt;
    ObjectInfo object;
    object.key = UnquotePlus(fields[columns_.key]);
    if (!object.key.starts_with(prefix_)) return std::nullopt;
    const std::string& size = fields[columns_.size];
    if (size.empty() || size.size() > 18 || size.find_first_not_of("0123456789") != std::string::npos) {
      throw Error(ErrorCode::kCorruptData,
                  fmt::format("the size of \"{}\" is \"{}\", no number", object.key, size));
    }
    object.size = std::stoull(size);
    if (columns_.etag) object.etag = fmt::format("\"{}\"", fields[*columns_.etag]);  // S3 answers with quotes
    if (columns_.version && versions_) object.version = fields[*columns_.version];
    return object;
  }

  const Columns& columns_;
  const std::string& prefix_;
  const bool versions_;
};

void ReadFile(ObjectStore& store, const InventoryFile& file, LineReader& lines, const std::stop_token& stop,
              const std::function<void(std::vector<ObjectInfo> objects)>& take) {
  GetRequest request{.key = file.key};
  request.stop = stop;
  const Bytes bytes = GetBytes(store, std::move(request), kLargestFile);
  if (!file.md5.empty() && Hex(Md5(bytes.view())) != file.md5) {
    throw Error(ErrorCode::kCorruptData, "its MD5 is not the one that the inventory's manifest has");
  }
  std::string text;
  const auto take_lines = [&](size_t size) {
    std::vector<ObjectInfo> objects = lines.Read(std::string_view(text).substr(0, size));
    text.erase(0, size);
    if (!objects.empty()) take(std::move(objects));
  };
  GzipInflater inflater;
  inflater.Feed(bytes.span(), [&](std::span<const uint8_t> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    // Keys are encoded, so that no field holds a line's end.
    if (const size_t end = text.rfind('\n'); end != std::string::npos) take_lines(end + 1);
  });
  inflater.Finish();
  take_lines(text.size());
}

}  // namespace

InventorySummary ReadInventory(Runtime& runtime, const Uri& inventory, const Uri& prefix,
                               const DatasetOptions& options,
                               const std::function<void(std::vector<ObjectInfo> objects)>& take) {
  const std::shared_ptr<ObjectStore> store = StoreOf(runtime, inventory, options);
  GetRequest request{.key = Runtime::KeyOf(inventory)};
  request.stop = options.stop;
  const Bytes text = GetBytes(*store, std::move(request));
  const InventoryManifest manifest = ParseManifest(text.view(), inventory, prefix, options.pin);
  LineReader lines(manifest.columns, prefix.key, options.pin == PinMode::kVersion);
  for (const InventoryFile& file : manifest.files) {
    const Result<void> read = Catch([&] { ReadFile(*store, file, lines, options.stop, take); });
    if (!read) throw read.error().uri().empty() ? read.error().WithUri(store->UriOf(file.key)) : read.error();
  }
  return manifest.summary;
}

}  // namespace bucketline
