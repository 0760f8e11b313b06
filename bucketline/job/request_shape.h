// The shapes of a CreateTrainingJob request, as data: what each field may hold.
//
// Source: AWS's own model of the service, whose shapes carry these names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace bucketline {

enum class ShapeKind { kStructure, kList, kMap, kString, kInteger, kLong, kBoolean };

struct ShapeMember {
  std::string_view name;
  std::string_view shape = {};  // "": AWS knows the field; it means nothing here and is not looked into
  bool required = false;
};

struct Shape {
  std::string_view name;
  ShapeKind kind = ShapeKind::kString;
  // Of a string its characters, of a list or map its entries, of a number its value.
  std::optional<int64_t> min = {};
  std::optional<int64_t> max = {};
  std::string_view pattern = {};              // of the whole string; "": any
  std::vector<std::string_view> values = {};  // of a string, the only ones; empty: any
  std::vector<ShapeMember> members = {};      // of a structure
  std::string_view key = {};                  // of a map, the shape of its keys
  std::string_view value = {};                // of a list or map, the shape of its entries
};

// Every shape that is looked at; the first is the request's.
const std::vector<Shape>& RequestShapes();

// Precondition: RequestShapes() has it.
const Shape& RequestShape(std::string_view name);

}  // namespace bucketline
