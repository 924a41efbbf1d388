#include "callcensus/call_text.hpp"

#include <arpa/inet.h>
#include <linux/fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <vector>

#include "base/printable.hpp"
#include "base/process_memory.hpp"
#include "base/procfs.hpp"
#include "base/words.hpp"
#include "record/call_signatures.hpp"
#include "record/constants.hpp"

namespace callcensus {
namespace {

constexpr std::size_t longest_line = 300;
constexpr std::size_t longest_string = 256;
constexpr std::size_t short_string = 64;  // of a line that is too long otherwise

std::string in_quotes(std::string_view text) {
    std::string shown = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') shown += '\\';
        shown += c;
    }
    return printable(shown) + '"';
}

// One argument and what is needed to show it.
struct Argument {
    std::uint64_t value;
    const std::uint64_t* all;  // the six of the call
    std::size_t index;
    const TargetView& view;
    std::size_t string_limit;
    unsigned bits;  // of a long
    Abi abi;

    [[nodiscard]] std::string memory(std::size_t size) const {
        return view.read_memory && value != 0 ? view.read_memory(value, size) : std::string();
    }
    [[nodiscard]] std::uint64_t next() const { return index + 1 < 6 ? all[index + 1] : 0; }
};

std::int32_t as_int(std::uint64_t value) { return static_cast<std::int32_t>(value); }

std::string show_int(const Argument& argument) { return std::to_string(as_int(argument.value)); }
std::string show_uint(const Argument& argument) {
    return std::to_string(static_cast<std::uint32_t>(argument.value));
}
std::string show_long(const Argument& argument) {
    if (argument.bits == 32) return show_int(argument);
    return std::to_string(static_cast<std::int64_t>(argument.value));
}
std::string show_size(const Argument& argument) { return std::to_string(argument.value); }
std::string show_hex(const Argument& argument) { return hexadecimal(argument.value); }
std::string show_pointer(const Argument& argument) {
    return argument.value == 0 ? "NULL" : hexadecimal(argument.value);
}

// Numbers without a name are those of real-time signals, which everybody writes in decimal.
std::string show_signal(const Argument& argument) {
    const std::string name = show_constant(*find_constants(argument.abi, "signal_names"), argument.value);
    return name.rfind("SIG", 0) == 0 ? name : show_int(argument);
}

std::string show_fd(const Argument& argument) {
    const int fd = as_int(argument.value);
    std::string text = std::to_string(fd);
    if (fd < 0 || !argument.view.fd_path) return text;
    std::string path = argument.view.fd_path(fd);
    if (path.empty()) return text;
    if (path.size() > argument.string_limit) path = "..." + path.substr(path.size() - argument.string_limit);
    return text + "<" + printable(path) + ">";
}

std::string show_directory(const Argument& argument) {
    return as_int(argument.value) == AT_FDCWD ? "AT_FDCWD" : show_fd(argument);
}

std::string show_bytes(const Argument& argument) {
    const std::string bytes = argument.memory(
        static_cast<std::size_t>(std::min<std::uint64_t>(argument.next(), argument.string_limit)));
    if (bytes.empty()) return show_pointer(argument);
    return in_quotes(bytes) + (bytes.size() < argument.next() ? "..." : "");
}

std::string show_text(const Argument& argument) {
    const std::string bytes = argument.memory(argument.string_limit);
    if (bytes.empty()) return show_pointer(argument);
    const auto end = bytes.find('\0');
    return in_quotes(std::string_view(bytes).substr(0, end)) + (end == std::string::npos ? "..." : "");
}

std::string show_mode(const Argument& argument) {
    std::string digits;
    for (auto rest = static_cast<std::uint32_t>(argument.value); rest != 0; rest >>= 3)
        digits.insert(digits.begin(), static_cast<char>('0' + (rest & 7)));
    return "0" + digits;
}

// open's third argument: looked at only where the second asks to create a file.
std::string show_creation_mode(const Argument& argument) {
    const std::uint64_t creates = O_CREAT | __O_TMPFILE;
    return (argument.all[argument.index - 1] & creates) != 0 ? show_mode(argument) : std::string();
}

// Structures are read up to where they end or the memory does; the rest is zero.
template <class Structure>
Structure read_as(std::string_view bytes) {
    Structure structure{};
    std::memcpy(static_cast<void*>(&structure), bytes.data(), std::min(bytes.size(), sizeof structure));
    return structure;
}

std::string show_unix_address(std::string_view bytes) {
    std::string_view path = bytes.substr(std::min(bytes.size(), offsetof(sockaddr_un, sun_path)));
    if (path.empty()) return "{AF_UNIX}";
    if (path.front() == '\0') return "{AF_UNIX @" + in_quotes(path.substr(1)) + "}";
    return "{AF_UNIX " + in_quotes(path.substr(0, path.find('\0'))) + "}";
}

std::string show_address(const Argument& argument) {
    const std::uint64_t length = std::min<std::uint64_t>(argument.next() & UINT32_MAX, sizeof(sockaddr_un));
    const std::string bytes = argument.memory(static_cast<std::size_t>(length));
    sa_family_t family = 0;
    if (bytes.size() < sizeof family) return show_pointer(argument);
    std::memcpy(&family, bytes.data(), sizeof family);
    std::array<char, INET6_ADDRSTRLEN> name{};
    if (family == AF_UNIX) return show_unix_address(bytes);
    if (family == AF_INET && bytes.size() >= sizeof(sockaddr_in)) {
        const auto address = read_as<sockaddr_in>(bytes);
        ::inet_ntop(AF_INET, &address.sin_addr, name.data(), name.size());
        return std::string("{AF_INET ") + name.data() + ":" + std::to_string(ntohs(address.sin_port)) + "}";
    }
    // Without sin6_scope_id (RFC 2133), as the kernel takes it, too.
    if (family == AF_INET6 && bytes.size() >= offsetof(sockaddr_in6, sin6_scope_id)) {
        const auto address = read_as<sockaddr_in6>(bytes);
        ::inet_ntop(AF_INET6, &address.sin6_addr, name.data(), name.size());
        return std::string("{AF_INET6 [") + name.data() + "]:" + std::to_string(ntohs(address.sin6_port)) +
               "}";
    }
    return "{" + show_constant(*find_constants(argument.abi, "domain"), family) + "}";
}

// struct clone_args, linux/sched.h: flags come first, exit_signal fifth.
std::string show_clone_args(const Argument& argument) {
    using Words = std::array<std::uint64_t, 5>;
    const std::string bytes = argument.memory(sizeof(Words));
    if (bytes.size() < sizeof(Words)) return show_pointer(argument);
    const auto words = read_as<Words>(bytes);
    std::string text = "{flags=" + show_constant(*find_constants(argument.abi, "clone3_flags"), words[0]);
    if (words[4] != 0)
        text += ", exit_signal=" + show_constant(*find_constants(argument.abi, "signal_names"), words[4]);
    return text + "}";
}

using Show = std::string (*)(const Argument&);

// Beside the kinds of constants.
Show find_kind(std::string_view kind) {
    static const std::map<std::string_view, Show> kinds{
        {"int", show_int},
        {"uint", show_uint},
        {"long", show_long},
        {"size", show_size},
        {"id", show_int},
        {"hex", show_hex},
        {"ptr", show_pointer},
        {"fd", show_fd},
        {"at", show_directory},
        {"path", show_text},
        {"text", show_text},
        {"bytes", show_bytes},
        {"mode", show_mode},
        {"signal", show_signal},
        {"creation_mode", show_creation_mode},
        {"address", show_address},
        {"clone_args", show_clone_args},
    };
    const auto found = kinds.find(kind);
    return found == kinds.end() ? nullptr : found->second;
}

std::string show(std::string_view kind, const Argument& argument) {
    if (const Show shown = find_kind(kind)) return shown(argument);
    if (const Constants* constants = find_constants(argument.abi, kind))
        return show_constant(*constants, argument.value);
    return "?" + std::string(kind);  // misspelt in the table: a test looks for this
}

std::string text_of(const std::string& name, const std::string_view* signature,
                    const std::array<std::uint64_t, 6>& arguments, const TargetView& view,
                    std::size_t string_limit, unsigned bits, Abi abi) {
    std::string text;
    std::size_t index = 0;
    for (const std::string_view kind :
         words_of(signature != nullptr ? *signature : "hex hex hex hex hex hex")) {
        const std::string shown =
            show(kind, {arguments.at(index), arguments.data(), index, view, string_limit, bits, abi});
        if (!shown.empty()) text += (index == 0 ? "" : ", ") + shown;
        ++index;
    }
    return name + "(" + text + ")";
}

}  // namespace

std::string call_text(Syscall call, const std::array<std::uint64_t, 6>& arguments, const TargetView& view) {
    const std::string name = name_or_number(call);
    const std::string_view* signature = find_signature(call.abi, name);
    // The kernel takes the lower halves of registers for a 32-bit table, except for x32, which has the
    // 64-bit entries for most calls.
    std::array<std::uint64_t, 6> seen = arguments;
    const unsigned bits = call.abi == Abi::x32 ? 64 : info(call.abi).bits;
    if (bits == 32)
        for (std::uint64_t& argument : seen) argument &= UINT32_MAX;
    std::string text = text_of(name, signature, seen, view, longest_string, bits, call.abi);
    if (text.size() > longest_line) text = text_of(name, signature, seen, view, short_string, bits, call.abi);
    return text;
}

std::string call_text(const SyscallSeen& seen) {
    const pid_t tid = seen.task.tid;
    return call_text(
        seen.call, seen.arguments,
        {[tid](std::uint64_t address, std::size_t size) { return read_memory_up_to(tid, address, size); },
         [tid](int fd) { return procfs::descriptor(tid, fd); }});
}

}  // namespace callcensus
