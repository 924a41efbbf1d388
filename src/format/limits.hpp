// How large a file may be that is read whole: what is larger is no such file.
#pragma once

#include <cstddef>

namespace callcensus {

constexpr std::size_t largest_recording = std::size_t{256} << 20;
constexpr std::size_t largest_profile = std::size_t{16} << 20;
/// The OCI runtime specification's: the state of a container, config.json, process.json.
constexpr std::size_t largest_runtime_json = std::size_t{16} << 20;

}  // namespace callcensus
