// Text in XML, for reports in JUnit's format.
#pragma once

#include <string>
#include <string_view>

namespace callcensus {

/// For between tags, or in an attribute in double quotes. XML has no way to write control characters, nor
/// bytes that are not UTF-8, which a file's name may hold: https://www.w3.org/TR/xml/#charsets.
[[nodiscard]] std::string xml(std::string_view text);

}  // namespace callcensus
