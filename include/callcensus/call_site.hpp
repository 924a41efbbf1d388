/// The place in a program or library that makes a system call.
///
///     text(site)         // "libc.so.6 (read+0x10)", or "libc.so.6+0xf7e82" where no symbol is known
///
/// It names the code that holds the instruction. For nearly all calls that is libc, whoever called libc: then
/// the call's stack tells more (attribution.hpp).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

namespace callcensus {

struct CallSite {
    /// The path of the mapped file as the kernel gives it, in the mount namespace of the process that made
    /// the call; `[vdso]`, `[heap]`, `[stack]` and other names in brackets as in proc(5), maps; `[anonymous]`
    /// for other memory without a file, such as a compiler at run time fills.
    std::string module;
    std::string build_id;      ///< NT_GNU_BUILD_ID in lower-case hexadecimal digits; empty where it has none
    std::uint64_t offset = 0;  ///< after the instruction: of an ELF file the address as in its symbol table
                               ///< (addr2line -e), else counted from the beginning of the file or memory
    std::string symbol;        ///< the function, as the file's symbol table has it; empty where unknown
    std::uint64_t symbol_offset = 0;  ///< from the beginning of that function

    friend auto operator<=>(const CallSite&, const CallSite&) = default;
    friend bool operator==(const CallSite&, const CallSite&) = default;
};

/// How many sites a recording keeps of each call.
inline constexpr std::size_t sites_kept = 4;

/// The module without its directory.
[[nodiscard]] std::string module_name(const CallSite& site);
/// "libc.so.6 (read+0x10)", "libc.so.6+0xf7e82".
[[nodiscard]] std::string text(const CallSite& site);
/// The same with the module's whole path.
[[nodiscard]] std::string full_text(const CallSite& site);
/// Without the place in the function: "libc.so.6 (read)", "libc.so.6+0xf7e82".
[[nodiscard]] std::string short_text(const CallSite& site);

}  // namespace callcensus
