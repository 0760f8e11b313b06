// Base levels: what an image is before chance and values play a part: decoded, cropped and resized; not flipped,
// jittered, normalised or laid out. LevelWriter::Augment makes rows of them.
#pragma once

#include <string>

#include "bucketline/image/spec.h"

namespace bucketline {

// False where chance decides which pixels there are: of a random crop.
bool HasBase(const ImageSpec& spec);

// The spec that decodes to them: rows (H, W, C) of bytes, or of float32 where the TensorFlow family keeps fractions of a
// level. Precondition: HasBase(spec).
ImageSpec BaseOf(const ImageSpec& spec);

// All that decides them but the image's bytes, in one line of printable ASCII without brackets: two specs with the same text
// have the same base, in every process that says so. It names the versions of what decodes.
std::string BaseText(const ImageSpec& spec);

}  // namespace bucketline
