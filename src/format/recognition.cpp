#include "format/recognition.hpp"

#include <fmt/format.h>
#include <linux/filter.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "format/located_json.hpp"
#include "format/spo.hpp"

namespace callcensus {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// Calls `visit` with every line that says something, without the blanks around it, until it returns true.
template <class Visit>
bool any_line(std::string_view text, const Visit& visit) {
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const auto begin = line.find_first_not_of(blanks);
        if (begin == std::string_view::npos) continue;
        line = line.substr(begin, line.find_last_not_of(blanks) + 1 - begin);
        if (line.front() != '#' && visit(line)) return true;
    }
    return false;
}

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.substr(0, word.size()) == word; });
}

// A seccomp filter begins by loading a word of struct seccomp_data and cannot end but in a return.
bool is_filter(std::string_view text) {
    sock_filter first{};
    sock_filter last{};
    if (text.empty() || text.size() % sizeof first != 0 || text.size() > BPF_MAXINSNS * sizeof first)
        return false;
    std::memcpy(&first, text.data(), sizeof first);
    std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
    return (first.code == (BPF_LD | BPF_W | BPF_ABS) || text.size() == sizeof first) && first.k < 64 * 4096 &&
           BPF_CLASS(last.code) == BPF_RET && text.find('\0') != std::string_view::npos;
}

bool is_section(std::string_view line) {
    return line.size() > 2 && line.front() == '[' && line.back() == ']' &&
           std::isupper(static_cast<unsigned char>(line[1])) != 0 &&
           std::all_of(line.begin() + 1, line.end() - 1,
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
}

bool is_systemd(std::string_view text) {
    bool is_first = true;
    return any_line(text, [&](std::string_view line) {
        if (line.front() == ';') return false;
        const bool begins = std::exchange(is_first, false) && is_section(line);
        return begins || begins_with_any(line, {"SystemCallFilter=", "SystemCallErrorNumber=",
                                                "SystemCallArchitectures=", "SystemCallLog="});
    });
}

// `name: policy`, `{a, b}: policy`, `name[arch=x]: policy` and directives.
bool is_policy_line(std::string_view line) {
    if (line.front() == '@')
        return begins_with_any(line, {"@include", "@frequency", "@default", "@denylist"});
    const auto end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_{}[]=,; \t");
    if (end == std::string_view::npos || end == 0 || line[end] != ':') return false;
    line.remove_prefix(end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    return begins_with_any(
               line, {"arg", "allow", "return", "kill", "trap", "trace", "log", "user-notify", "{", "\\"}) ||
           line == "1" || begins_with_any(line, {"1 ", "1\t", "1#"});
}

bool is_minijail(std::string_view text) {
    // Nothing but comments allows nothing.
    const bool has_lines = any_line(text, [](std::string_view) { return true; });
    return has_lines ? any_line(text, is_policy_line) : text.find('#') != std::string_view::npos;
}

bool has_manifest_mark(std::string_view text) {
    // A document's mark, or a manifest's field at the beginning of a line.
    for (const std::string_view mark : {"---", "%YAML", "apiVersion:", "kind:"})
        for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1))
            if (at == 0 || text[at - 1] == '\n' || text.substr(0, at) == byte_order_mark) return true;
    return false;
}

const LocatedJson* member(const LocatedJson& object, std::string_view key) {
    for (const auto& [name, value] : object.members)
        if (name == key) return &value;
    return nullptr;
}

// The operator's objects, and lists that can hold them.
bool is_manifest(const LocatedJson& object) {
    const auto text = [&](std::string_view key) {
        const LocatedJson* value = member(object, key);
        return value != nullptr && value->type == nlohmann::json::value_t::string
                   ? value->scalar.get<std::string>()
                   : std::string();
    };
    const std::string kind = text("kind");
    const std::string_view group = spo_api_version.substr(0, spo_api_version.find('/') + 1);
    return begins_with_any(text("apiVersion"), {group}) || kind == "List" ||
           kind == std::string(spo_kind) + "List";
}

TextKind kind_of_json(std::string_view text) {
    const auto root = parse_located(text, "");
    if (!root) return TextKind::profile;  // whose reader says what is wrong
    if (member(*root, "defaultAction") != nullptr) return TextKind::profile;
    if (member(*root, "format") != nullptr) return TextKind::recording;
    if (is_manifest(*root)) return TextKind::manifest;
    if (member(*root, "ociVersion") != nullptr || member(*root, "linux") != nullptr)
        return TextKind::runtime_config;
    const bool has_filters = std::any_of(root->members.begin(), root->members.end(), [](const auto& each) {
        return member(each.value, "default_action") != nullptr && member(each.value, "filter") != nullptr;
    });
    return has_filters ? TextKind::firecracker : TextKind::profile;
}

}  // namespace

TextKind recognize(std::string_view text) {
    if (text.substr(0, 4) ==
        "\x7f"
        "ELF")
        return TextKind::elf;
    if (is_filter(text)) return TextKind::filter;
    std::string_view rest = text;
    if (rest.substr(0, byte_order_mark.size()) == byte_order_mark) rest.remove_prefix(byte_order_mark.size());
    const auto begin = rest.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return TextKind::profile;  // whose reader says that it is empty
    // A policy can begin with `{read, write}`; a key of JSON is quoted.
    const auto inside = rest.find_first_not_of(blanks, begin + 1);
    const bool is_braced = rest[begin] == '{' && inside != std::string_view::npos &&
                           std::islower(static_cast<unsigned char>(rest[inside])) != 0 &&
                           any_line(rest, is_policy_line);
    if (rest[begin] == '{' && !is_braced) return kind_of_json(text);
    if (rest.find('\0') != std::string_view::npos) return TextKind::unknown;
    if (has_manifest_mark(text)) return TextKind::manifest;
    if (is_systemd(rest)) return TextKind::systemd;
    if (is_minijail(rest)) return TextKind::minijail;
    // JSON that is no object, or nearly.
    return rest[begin] == '[' || parse_located(rest, "") ? TextKind::profile : TextKind::unknown;
}

tl::unexpected<Error> refuse(TextKind kind, std::string_view text, const std::string& source) {
    switch (kind) {
        case TextKind::recording:
            return fail("is a recording; `callcensus derive` makes a profile of it", source);
        case TextKind::filter:
            return fail(
                fmt::format("is a compiled filter of {} instructions, which says nothing of names and "
                            "rules: give the profile that it was made of (crun loads such a filter by "
                            "the annotation run.oci.seccomp_bpf_file, bwrap by --seccomp)",
                            text.size() / sizeof(sock_filter)),
                source);
        case TextKind::firecracker:
            return fail(
                "holds filters of Firecracker's seccompiler, which are not read: seccompiler-bin "
                "compiles them",
                source);
        case TextKind::elf:
            return fail(
                "is a program or library (ELF) and no profile; `callcensus trace -- PROGRAM` makes a "
                "profile of what it calls",
                source);
        default:
            return fail(
                "is none of what is read: a profile (JSON, a Kubernetes manifest, a minijail policy, a "
                "systemd unit) or a recording",
                source);
    }
}

}  // namespace callcensus
