#include "report/xml.hpp"

#include "base/printable.hpp"

namespace callcensus {
namespace {

// Characters of UTF-8 that are none of XML: U+FFFE and U+FFFF.
void replace_noncharacters(std::string& text) {
    for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
        for (std::size_t at = 0; (at = text.find(none, at)) != std::string::npos;)
            text.replace(at, none.size(), "\xef\xbf\xbd");
}

}  // namespace

std::string xml(std::string_view text) {
    std::string characters = printable(text);
    replace_noncharacters(characters);
    std::string escaped;
    for (const char c : characters) {
        if (c == '&')
            escaped += "&amp;";
        else if (c == '<')
            escaped += "&lt;";
        else if (c == '>')
            escaped += "&gt;";
        else if (c == '"')
            escaped += "&quot;";
        else
            escaped += c;
    }
    return escaped;
}

}  // namespace callcensus
