// The INI dialect of ~/.aws/credentials and ~/.aws/config.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace bucketline {

// Section name → key → value. Blanks in names are single ("profile x"), quotes around a profile's name are
// gone, keys are in lower case. Indented lines below "s3 =" become "s3.key". A section that comes twice is
// one.
using IniSections = std::map<std::string, std::map<std::string, std::string>>;

// Never fails: lines that mean nothing are skipped, as AWS tools do.
IniSections ParseIni(std::string_view text);

// A missing file is empty; one that cannot be read, or of more than 4 MiB, throws kIo.
IniSections ReadIniFile(const std::string& path);

}  // namespace bucketline
