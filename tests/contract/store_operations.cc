#include "tests/contract/store_operations.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

namespace bucketline::testing {
namespace {

using Kind = StoreOperation::Kind;

constexpr std::pair<Kind, std::string_view> kNames[] = {{Kind::kPut, "put"},       {Kind::kPutNew, "put-new"},
                                                        {Kind::kDelete, "delete"}, {Kind::kGet, "get"},
                                                        {Kind::kHead, "head"},     {Kind::kList, "list"}};

std::string Encoded(const std::string& text) {
  if (text.empty()) return "%-";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || std::string_view("/._-").find(c) != std::string_view::npos;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

std::string Decoded(const std::string& text) {
  if (text == "%-") return {};
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return decoded;
}

// Folders and files have different names, so that no key lies below another.
std::string RandomKey(CounterRng& random) {
  static constexpr std::string_view kFolders[] = {"d/", "d-/", "d.e/", "D/"};
  static constexpr std::string_view kFiles[] = {"f", "f-", "f.", "f0", "F", "f f", "f%2f", "f+", "f\xc3\xa9"};
  std::string key;
  for (uint64_t depth = random.NextBelow(3); depth > 0; --depth)
    key += kFolders[random.NextBelow(std::size(kFolders))];
  return key.append(kFiles[random.NextBelow(std::size(kFiles))]);
}

// At most `bytes` of `key`, and no half of a character at its end: servers refuse what is no text.
std::string PrefixOf(const std::string& key, size_t bytes) {
  size_t end = std::min(bytes, key.size());
  while (end < key.size() && (static_cast<unsigned char>(key[end]) & 0xC0) == 0x80) --end;
  return key.substr(0, end);
}

StoreOperation ParseLine(const std::string& line) {
  std::istringstream words(line);
  std::string name, key, number, length;
  StoreOperation operation;
  words >> name >> key;
  const auto found = std::ranges::find(kNames, name, &std::pair<Kind, std::string_view>::second);
  if (found == std::end(kNames) || key.empty()) throw std::runtime_error("not an operation: " + line);
  operation.kind = found->first;
  operation.key = Decoded(key);
  switch (operation.kind) {
    case Kind::kPut:
    case Kind::kPutNew:
      words >> operation.size >> operation.seed;
      break;
    case Kind::kGet:
      words >> operation.size >> length;
      if (length != "end") operation.length = std::stoull(length);
      break;
    case Kind::kList:
      words >> operation.delimiter >> operation.start_after >> operation.size;
      operation.delimiter = Decoded(operation.delimiter);
      operation.start_after = Decoded(operation.start_after);
      break;
    default:
      break;
  }
  if (!words) throw std::runtime_error("words are missing: " + line);
  return operation;
}

}  // namespace

StoreOperation RandomOperation(CounterRng& random) {
  StoreOperation operation;
  operation.key = RandomKey(random);
  const uint64_t kind = random.NextBelow(8);
  if (kind < 4) {
    operation.kind = kind == 3 ? Kind::kPutNew : Kind::kPut;
    operation.size = random.NextBelow(3000);
    operation.seed = random.NextBelow(1'000'000);
  } else if (kind == 4) {
    operation.kind = Kind::kDelete;
  } else if (kind == 5) {
    operation.kind = Kind::kGet;
    operation.size = random.NextBelow(3100);
    if (random.NextBelow(2) == 0) operation.length = random.NextBelow(3100);
  } else if (kind == 6) {
    operation.kind = Kind::kHead;
  } else {
    operation.kind = Kind::kList;
    operation.key = random.NextBelow(2) == 0 ? PrefixOf(operation.key, random.NextBelow(6)) : "";
    if (random.NextBelow(2) == 0) operation.delimiter = "/";
    // A start inside of what the delimiter rolls up is where S3 implementations differ: not asked for.
    if (operation.delimiter.empty() && random.NextBelow(2) == 0) operation.start_after = RandomKey(random);
    operation.size = 1 + random.NextBelow(20);
  }
  return operation;
}

std::string ToText(const std::vector<StoreOperation>& operations) {
  std::string text;
  for (const StoreOperation& o : operations) {
    text += fmt::format("{} {}",
                        std::ranges::find(kNames, o.kind, &std::pair<Kind, std::string_view>::first)->second,
                        Encoded(o.key));
    if (o.kind == Kind::kPut || o.kind == Kind::kPutNew) text += fmt::format(" {} {}", o.size, o.seed);
    if (o.kind == Kind::kGet)
      text += fmt::format(" {} {}", o.size, o.length ? std::to_string(*o.length) : "end");
    if (o.kind == Kind::kList)
      text += fmt::format(" {} {} {}", Encoded(o.delimiter), Encoded(o.start_after), o.size);
    text += '\n';
  }
  return text;
}

std::vector<StoreOperation> ParseOperations(const std::string& text) {
  std::vector<StoreOperation> operations;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() != '#') operations.push_back(ParseLine(line));
  }
  return operations;
}

std::vector<StoreOperation> Shrink(std::vector<StoreOperation> operations,
                                   const std::function<bool(const std::vector<StoreOperation>&)>& fails) {
  for (size_t size = std::max<size_t>(operations.size() / 2, 1);; size = std::max<size_t>(size / 2, 1)) {
    bool shorter = false;
    for (size_t at = 0; at < operations.size();) {
      std::vector<StoreOperation> fewer = operations;
      const auto begin = fewer.begin() + static_cast<ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<ptrdiff_t>(std::min(size, fewer.size() - at)));
      if (!fewer.empty() && fails(fewer)) {
        operations = std::move(fewer);
        shorter = true;
      } else {
        at += size;
      }
    }
    if (size == 1 && !shorter) return operations;
  }
}

}  // namespace bucketline::testing
