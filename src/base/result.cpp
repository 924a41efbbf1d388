#include "callcensus/result.hpp"

#include <cstring>

namespace callcensus {

std::string Error::text() const {
    std::string line = where.empty() ? message : where + ": " + message;
    if (errnum != 0) line += std::string(": ") + std::strerror(errnum);
    return line;
}

}  // namespace callcensus
