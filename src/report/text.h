// Text as the writers of this folder need it: escaped, valid UTF-8, numbers in one spelling
// whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace mien::report {

// `text` with every byte sequence that is not UTF-8 (file names may hold any) replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// For XML text and attribute values: & < > " ' as entities, control characters (which XML 1.0
// cannot hold) as U+FFFD, invalid UTF-8 likewise.
std::string escape_xml(std::string_view text);

// A JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
std::string quote_json(std::string_view text);

// `value` with exactly `decimals` digits behind the point, "." as the point, never "-0.00"; "" when
// it is not finite.
std::string fixed(double value, int decimals);

// The same without trailing zeros: "1.5", "2", "0".
std::string compact(double value, int decimals);

}  // namespace mien::report
