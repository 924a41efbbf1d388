#include "cli/profiles.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace callcensus::cli {
namespace {

std::string file_name(std::string text) {
    std::replace(text.begin(), text.end(), '/', '-');
    text.erase(0, text.find_first_not_of("-."));
    return text.empty() ? "unnamed" : text;
}

}  // namespace

std::vector<ProfileReport> derive_profiles(std::span<const Recording> recordings,
                                           const DeriveOptions& options, bool split,
                                           const std::string& output) {
    std::vector<ProfileReport> profiles;
    if (!split) {
        profiles.push_back({output, {}, derive(recordings, options)});
        return profiles;
    }
    const auto globs = executables_of(recordings);
    std::map<std::string, int> same_name;
    for (const auto& [executable, glob] : globs)
        ++same_name[file_name(executable.substr(executable.rfind('/') + 1))];
    std::set<std::string> taken;
    const std::filesystem::path base(output);
    for (const auto& [executable, glob] : globs) {
        if (!selects(options, executable)) continue;
        std::string name = file_name(executable.substr(executable.rfind('/') + 1));
        if (same_name[name] > 1) name = file_name(executable);
        while (!taken.insert(name).second) name += "-";  // "/a-b/c" and "/a/b-c"
        DeriveOptions of_one = options;
        of_one.only = {glob};
        of_one.exclude.clear();
        std::filesystem::path path = base;
        path.replace_filename(base.stem().string() + "." + name + base.extension().string());
        profiles.push_back({path.string(), executable, derive(recordings, of_one)});
    }
    return profiles;
}

}  // namespace callcensus::cli
