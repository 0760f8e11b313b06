#include "bucketline/channel/manifest_file.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using nlohmann::json;

constexpr std::string_view kForm = R"(a manifest is [{"prefix": "s3://bucket/prefix/"}, "suffix", ...])";

[[noreturn]] void Throw(std::string_view problem) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("{}; {}", problem, kForm));
}

// Takes the elements as they are parsed: a manifest of millions of suffixes is never a tree of JSON values.
class Elements : public nlohmann::json_sax<json> {
 public:
  explicit Elements(std::string_view text) : text_(text) {}

  ManifestFile Take() {
    if (file_.suffixes.size() == 0) Throw("the manifest names no object");
    return std::move(file_);
  }

  bool start_array(size_t) override {
    if (depth_ != 0) Wrong("a list");
    return Enter();
  }
  bool start_object(size_t) override {
    if (depth_ != 1 || element_ != 0) Wrong("an object");
    return Enter();
  }
  bool key(std::string& name) override {
    if (name != "prefix" || has_prefix_) {
      Throw(fmt::format("element 0 has the field \"{}\", and one \"prefix\" is all that it may have", name));
    }
    has_prefix_ = true;
    return true;
  }
  bool string(std::string& value) override {
    if (depth_ == 2) {
      if (value.empty()) Throw("the prefix in element 0 is empty");
      file_.prefix = value;
    } else if (depth_ == 1 && element_ > 0) {
      file_.suffixes.Add(value);
      ++element_;
    } else {
      Wrong("text");
    }
    return true;
  }
  bool end_object() override {
    if (!has_prefix_) Throw("element 0 has no \"prefix\"");
    ++element_;
    --depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }

  bool null() override { return Wrong("null"); }
  bool boolean(bool) override { return Wrong("true or false"); }
  bool number_integer(number_integer_t) override { return Wrong("a number"); }
  bool number_unsigned(number_unsigned_t) override { return Wrong("a number"); }
  bool number_float(number_float_t, const string_t&) override { return Wrong("a number"); }
  bool binary(binary_t&) override { return Wrong("binary data"); }

  bool parse_error(size_t byte, const std::string&, const json::exception&) override {
    const std::string_view before = text_.substr(0, std::min(byte, text_.size()));
    Throw(fmt::format("line {}: this is not JSON", 1 + std::count(before.begin(), before.end(), '\n')));
  }

 private:
  bool Enter() {
    ++depth_;
    return true;
  }

  [[noreturn]] bool Wrong(std::string_view what) const {
    if (depth_ == 0) Throw(fmt::format("the whole is {}", what));
    if (depth_ == 2) Throw(fmt::format("the prefix in element 0 is {}", what));
    Throw(fmt::format("element {} is {}", element_, what));
  }

  const std::string_view text_;
  ManifestFile file_;
  bool has_prefix_ = false;
  int depth_ = 0;       // of what is open: the list, and element 0 in it
  size_t element_ = 0;  // that comes next or is open
};

}  // namespace

ManifestFile ParseManifestFile(std::string_view text) {
  Elements elements(text);
  json::sax_parse(text.begin(), text.end(), &elements);
  return elements.Take();
}

}  // namespace bucketline
