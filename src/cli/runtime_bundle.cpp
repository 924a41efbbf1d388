#include "cli/runtime_bundle.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace callcensus::cli {
namespace {

using Json = nlohmann::ordered_json;

// Options that have their value in the next word, without dashes, since Go's flag package takes one for two:
// runc(8), runc-create(8), runc-run(8), crun(1).
constexpr std::array<std::string_view, 6> global_with_value{"root", "log",      "log-format",
                                                            "criu", "rootless", "cgroup-manager"};
constexpr std::array<std::string_view, 7> local_with_value{"b", "bundle", "console-socket", "pid-file",
                                                           "f", "config", "preserve-fds"};

using Word = std::vector<std::string>::const_iterator;

// The name of an option, and its value where that is in the same word.
struct Option {
    std::string name;
    std::optional<std::string> value;
};
std::optional<Option> as_option(const std::string& word) {
    if (word.size() < 2 || word.front() != '-' || word == "--") return std::nullopt;
    const std::string bare = word.substr(word[1] == '-' ? 2 : 1);
    const auto equals = bare.find('=');
    if (equals == std::string::npos) return Option{bare, std::nullopt};
    return Option{bare.substr(0, equals), bare.substr(equals + 1)};
}

// Past the options from `word` on; `on` hears of each one that has a value.
template <class Names, class On>
Word skip_options(Word word, Word end, const Names& with_value, const On& on) {
    while (word != end) {
        auto option = as_option(*word);
        if (!option) break;
        ++word;
        const bool takes_next = !option->value && std::find(with_value.begin(), with_value.end(),
                                                            option->name) != with_value.end();
        if (takes_next && word != end) option->value = *word++;
        if (option->value) on(option->name, *option->value);
    }
    return word;
}

// Takes NAME=VALUE out of process.env.
std::optional<std::string> take_from_environment(Json& config, const std::string& name) {
    std::optional<std::string> value;
    Json& environment = config["process"]["env"];
    const std::string begin = name + "=";
    for (auto entry = environment.begin(); entry != environment.end();) {
        if (!entry->is_string() || entry->get_ref<const std::string&>().rfind(begin, 0) != 0) {
            ++entry;
            continue;
        }
        value = entry->get_ref<const std::string&>().substr(begin.size());
        entry = environment.erase(entry);
    }
    return value;
}

bool is_object_or_absent(const Json& parent, const char* key) {
    return !parent.contains(key) || parent[key].is_null() || parent[key].is_object();
}

}  // namespace

std::optional<std::string> bundle_of(const std::vector<std::string>& arguments) {
    const auto ignore = [](const std::string&, const std::string&) {};
    const Word command = skip_options(arguments.begin(), arguments.end(), global_with_value, ignore);
    if (command == arguments.end() || (*command != "create" && *command != "run")) return std::nullopt;
    std::string bundle = ".";
    skip_options(std::next(command), arguments.end(), local_with_value,
                 [&](const std::string& name, const std::string& value) {
                     if (name == "b" || name == "bundle") bundle = value;
                 });
    return bundle;
}

std::optional<std::string> log_of(const std::vector<std::string>& arguments) {
    std::optional<std::string> path;
    bool as_json = false;
    skip_options(arguments.begin(), arguments.end(), global_with_value,
                 [&](const std::string& name, const std::string& value) {
                     if (name == "log") path = value;
                     if (name == "log-format") as_json = value == "json";
                 });
    return as_json ? path : std::nullopt;
}

std::string log_line(const std::string& message) {
    return Json{{"level", "error"}, {"msg", message}}.dump(-1, ' ', false, Json::error_handler_t::replace) +
           "\n";
}

std::optional<HookedConfig> with_hook(std::string_view text, const std::string& program) {
    HookedConfig hooked;
    Json config = Json::parse(text, nullptr, false);
    if (!config.is_object() || !is_object_or_absent(config, "annotations") ||
        !is_object_or_absent(config, "hooks"))
        return std::nullopt;
    if (config.contains("process") && config["process"].is_object() && config["process"].contains("env") &&
        config["process"]["env"].is_array())
        // What is annotated was said to the engine; the environment may come with the image.
        for (const auto& [variable, annotation] :
             {std::pair{"CALLCENSUS_TRACE", trace_annotation}, {"CALLCENSUS_OPTIONS", options_annotation}})
            if (const auto value = take_from_environment(config, variable);
                value && !config["annotations"].contains(annotation)) {
                config["annotations"][std::string(annotation)] = *value;
                hooked.from_environment = true;
            }
    if (!config.contains("annotations") || !config["annotations"].contains(trace_annotation))
        return std::nullopt;
    const Json hook = {{"path", program}, {"args", {"callcensus", "hook"}}};
    // prestart, since there is no runtime that does not know it.
    Json& hooks = config["hooks"]["prestart"];
    if (!hooks.is_null() && !hooks.is_array()) return std::nullopt;
    if (std::find(hooks.begin(), hooks.end(), hook) == hooks.end()) hooks.push_back(hook);
    for (const auto& [key, value] : config["annotations"].items())
        if (value.is_string()) hooked.annotations[key] = value.get<std::string>();
    hooked.text = config.dump();
    return hooked;
}

Result<void> check_confined(const HookRequest& request, const std::string& directory) {
    std::error_code failed;
    std::filesystem::path root = std::filesystem::weakly_canonical(directory, failed);
    if (root.filename().empty()) root = root.parent_path();  // named with a slash at the end
    for (const std::string& path : {request.output, request.baseline, request.recording}) {
        if (path.empty()) continue;
        const std::filesystem::path file = std::filesystem::weakly_canonical(path, failed);
        const auto inside = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
        // A link to nothing yet is still one after all that: it would be followed when the file is made.
        const bool leads_on = std::filesystem::is_symlink(file, failed);
        if (root.empty() || inside.first != root.end() || inside.second == file.end() || leads_on)
            return fail("a container's environment may name files below " + directory +
                            " only: choose another directory by CALLCENSUS_DIRECTORY in the runtime's own "
                            "environment",
                        path);
    }
    return {};
}

}  // namespace callcensus::cli
