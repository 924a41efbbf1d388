#include "container/runtime_bundle.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "format/json_text.hpp"

namespace callcensus {
namespace {

using Json = nlohmann::ordered_json;

// Options that have their value in the next word, without dashes, since Go's flag package takes one for two:
// runc(8), runc-create(8), runc-run(8), crun(1).
constexpr std::array<std::string_view, 6> global_with_value{"root", "log",      "log-format",
                                                            "criu", "rootless", "cgroup-manager"};
constexpr std::array<std::string_view, 7> local_with_value{"b", "bundle", "console-socket", "pid-file",
                                                           "f", "config", "preserve-fds"};
// runc-exec(8), crun(1)
constexpr std::array<std::string_view, 21> of_exec_with_value{
    "p",      "process",         "console-socket", "cwd", "e",         "env", "u",        "user",
    "g",      "additional-gids", "pid-file",       "c",   "cap",       "a",   "apparmor", "process-label",
    "cgroup", "preserve-fds",    "root",           "log", "log-format"};
constexpr std::array<std::string_view, 2> our_variables{"CALLCENSUS_TRACE", "CALLCENSUS_OPTIONS"};

using WordPlace = std::vector<std::string>::const_iterator;

// The name of an option, and its value where that is in the same word.
struct CommandOption {
    std::string name;
    std::optional<std::string> value;
};
std::optional<CommandOption> as_option(const std::string& word) {
    if (word.size() < 2 || word.front() != '-' || word == "--") return std::nullopt;
    const std::string bare = word.substr(word[1] == '-' ? 2 : 1);
    const auto equals = bare.find('=');
    if (equals == std::string::npos) return CommandOption{bare, std::nullopt};
    return CommandOption{bare.substr(0, equals), bare.substr(equals + 1)};
}

// Past the options from `word` on; `on` hears of each one that has a value, and of the word that ends with
// it.
template <class Names, class On>
WordPlace skip_options(WordPlace word, WordPlace end, const Names& with_value, const On& on) {
    while (word != end) {
        auto option = as_option(*word);
        if (!option) break;
        ++word;
        const bool takes_next = !option->value && std::find(with_value.begin(), with_value.end(),
                                                            option->name) != with_value.end();
        if (takes_next && word != end) option->value = *word++;
        if (option->value) on(option->name, *option->value, std::prev(word));
    }
    return word;
}

void ignore(const std::string&, const std::string&, WordPlace) {}

// Takes NAME=VALUE out of process.env, every one. The last one counts.
std::optional<std::string> take_from_environment(Json& environment, std::string_view name) {
    std::optional<std::string> value;
    const std::string begin = std::string(name) + "=";
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

// process.env where there is one.
Json* environment_of(Json& process) {
    const bool has_one = process.is_object() && process.contains("env") && process["env"].is_array();
    return has_one ? &process["env"] : nullptr;
}

bool is_object_or_absent(const Json& parent, const char* key) {
    return !parent.contains(key) || parent[key].is_null() || parent[key].is_object();
}

// What is annotated was said to the engine, and then what the environment says, which may have come with the
// image, counts for nothing: it is not to spoil that either.
void take_wishes(Json& config, AskingConfig& asking) {
    if (!config.contains("process")) return;
    std::array<std::optional<std::string>, 2> wishes;
    if (Json* const environment = environment_of(config["process"]))
        for (std::size_t at = 0; at < wishes.size(); ++at)
            wishes[at] = take_from_environment(*environment, our_variables[at]);
    if (!wishes[0]) return;
    Json& annotations = config["annotations"];
    if (annotations.contains(trace_annotation) || annotations.contains(options_annotation)) return;
    annotations[std::string(trace_annotation)] = *wishes[0];
    if (wishes[1]) annotations[std::string(options_annotation)] = *wishes[1];
    asking.from_environment = true;
}

}  // namespace

std::optional<std::string> bundle_of(const std::vector<std::string>& arguments) {
    const WordPlace command = skip_options(arguments.begin(), arguments.end(), global_with_value, ignore);
    if (command == arguments.end() || (*command != "create" && *command != "run")) return std::nullopt;
    std::string bundle = ".";
    skip_options(std::next(command), arguments.end(), local_with_value,
                 [&](const std::string& name, const std::string& value, WordPlace) {
                     if (name == "b" || name == "bundle") bundle = value;
                 });
    return bundle;
}

std::optional<std::string> log_of(const std::vector<std::string>& arguments) {
    std::optional<std::string> path;
    bool as_json = false;
    skip_options(arguments.begin(), arguments.end(), global_with_value,
                 [&](const std::string& name, const std::string& value, WordPlace) {
                     if (name == "log") path = value;
                     if (name == "log-format") as_json = value == "json";
                 });
    return as_json ? path : std::nullopt;
}

std::string log_line(const std::string& message) {
    return json_text(Json{{"level", "error"}, {"msg", message}}) + "\n";
}

std::optional<ProcessFile> process_file_of(const std::vector<std::string>& arguments) {
    const WordPlace command = skip_options(arguments.begin(), arguments.end(), global_with_value, ignore);
    if (command == arguments.end() || *command != "exec") return std::nullopt;
    std::optional<ProcessFile> found;
    skip_options(std::next(command), arguments.end(), of_exec_with_value,
                 [&](const std::string& name, const std::string& value, WordPlace word) {
                     if (name == "p" || name == "process")
                         found = ProcessFile{static_cast<std::size_t>(word - arguments.begin()),
                                             word->substr(0, word->size() - value.size()), value};
                 });
    return found;
}

std::optional<std::string> without_our_variables(std::string_view text) {
    Json process = Json::parse(text, nullptr, false);
    Json* const environment = environment_of(process);
    if (environment == nullptr) return std::nullopt;
    bool taken = false;
    for (const std::string_view variable : our_variables)
        taken = take_from_environment(*environment, variable).has_value() || taken;
    return taken ? std::optional(process.dump()) : std::nullopt;
}

std::optional<AskingConfig> asking(std::string_view text) {
    AskingConfig asking;
    Json config = Json::parse(text, nullptr, false);
    if (!config.is_object() || !is_object_or_absent(config, "annotations") ||
        !is_object_or_absent(config, "hooks"))
        return std::nullopt;
    take_wishes(config, asking);
    if (config.contains("hooks") && config["hooks"].is_object() && config["hooks"].contains("prestart")) {
        const Json& hooks = config["hooks"]["prestart"];
        if (!hooks.is_null() && !hooks.is_array()) return std::nullopt;
    }
    if (!config.contains("annotations")) return std::nullopt;
    for (const auto& [key, value] : config["annotations"].items())
        if (value.is_string()) asking.annotations[key] = value.get<std::string>();
    if (!asks_for_recording(asking.annotations)) return std::nullopt;
    asking.text = config.dump();
    return asking;
}

std::string with_hook(std::string_view text, const std::string& program,
                      const std::vector<std::string>& arguments) {
    Json config = Json::parse(text);
    // prestart, since there is no runtime that does not know it.
    Json& hooks = config["hooks"]["prestart"];
    const auto ours = std::find_if(hooks.begin(), hooks.end(), [&](const Json& hook) {
        return hook.is_object() && hook.contains("path") && hook["path"] == program;
    });
    if (ours == hooks.end())
        hooks.push_back({{"path", program}, {"args", arguments}});
    else
        (*ours)["args"] = arguments;
    return config.dump();
}

}  // namespace callcensus
