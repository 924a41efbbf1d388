// A C file that holds the filter and a function that loads it; it needs the kernel's headers and no library.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/printable.hpp"
#include "format/flat_profile.hpp"
#include "format/formats.hpp"

namespace callcensus {

using namespace flat;

namespace {

std::string identifier(std::string name) {
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    const bool begins_well = !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0;
    return begins_well ? name : "_" + name;
}

// What would end a comment, and what a compiler warns of in one.
std::string for_comment(std::string text) {
    text = without_controls(text);
    for (const std::string_view mark : {"*/", "/*", "\\"})
        for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at))
            text.replace(at, 1, " ");
    return text;
}

}  // namespace

Result<Written> write_c(const Profile& profile, const WriteContext& context) {
    Written written;
    tell_of_resolving(profile, context.machine, written.losses);
    const auto known_flags = all_filter_flags();
    std::string flags;
    for (const std::string& flag : profile.flags)  // each token is the name of a macro
        if (std::find(known_flags.begin(), known_flags.end(), flag) != known_flags.end())
            flags += (flags.empty() ? "" : " | ") + flag;
        else
            written.losses.push_back("the flag " + flag);
    if (!profile.listener_path.empty() || !profile.listener_metadata.empty())
        written.losses.emplace_back("the listener of SCMP_ACT_NOTIFY");

    const std::string function = identifier(context.name) + "_load_seccomp";
    std::string& text = written.content;
    text = fmt::format(
        "/* Made by callcensus{}.\n"
        " *\n"
        " * Compile it into a program and call {}() where the program is ready to be confined: the\n"
        " * filter counts from there on, for the calling thread, those that it creates, and whatever they execute.\n"
        " */\n"
        "#include <linux/filter.h>\n"
        "#include <linux/seccomp.h>\n"
        "#include <sys/prctl.h>\n"
        "#include <sys/syscall.h>\n"
        "#include <unistd.h>\n\n"
        "int {}(void);\n\n"
        "static struct sock_filter filter[] = {{\n",
        context.source.empty() ? "" : " from " + for_comment(context.source), function, function);
    for (const sock_filter& instruction : *context.filter)
        text += fmt::format("    {{{:#04x}, {}, {}, {:#010x}}},\n", instruction.code, instruction.jt,
                            instruction.jf, instruction.k);
    text += fmt::format(
        "}};\n\n"
        "/* 0, or -1 with errno. Sets no_new_privs, without which loading a filter needs CAP_SYS_ADMIN. */\n"
        "int {}(void) {{\n"
        "    const struct sock_fprog program = {{sizeof filter / sizeof filter[0], filter}};\n"
        "    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;\n"
        "    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, {}, &program) == 0 ? 0 : -1;\n"
        "}}\n",
        function, flags.empty() ? "0" : flags);
    return written;
}

}  // namespace callcensus
