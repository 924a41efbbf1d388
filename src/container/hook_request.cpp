#include "container/hook_request.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/nearest.hpp"
#include "callcensus/format.hpp"

namespace callcensus {
namespace {

tl::unexpected<Error> invalid(const std::string& what) { return fail("invalid annotation: " + what); }

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char letter : text)
        if (letter == ';')
            parts.emplace_back();
        else
            parts.back() += letter;
    return parts;
}

std::string trimmed(const std::string& text) {
    constexpr std::string_view space = " \t\n\v\f\r";
    const auto first = text.find_first_not_of(space);
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(space) + 1 - first);
}

bool is_absolute(const std::string& path) { return !path.empty() && path.front() == '/'; }

Result<void> read_paths(const std::string& text, HookRequest& request) {
    const std::vector<std::string> parts = split(text);
    if (parts.size() > 2) return invalid("more than one semi-colon in \"" + text + "\"");
    for (const std::string& part : parts) {
        const std::string prefix = part.substr(0, 3);
        if (prefix != "if:" && prefix != "of:")
            return invalid("\"" + part + "\" must start \"if:\" or \"of:\" prefix");
        std::string path = trimmed(part.substr(3));
        if (!is_absolute(path))
            return invalid((prefix == "if:" ? "input" : "output") +
                           (" file path must be absolute, not \"" + path + "\""));
        (prefix == "if:" ? request.baseline : request.output) = std::move(path);
    }
    if (request.output.empty())
        return invalid("providing output file is mandatory: of:/absolute/path (in \"" + text + "\")");
    return {};
}

template <class Value>
struct Word {
    std::string_view text;
    Value value;
    Asker from;  // the least trusted one who may ask for it
};
constexpr Asker anybody = Asker::stranger, owner_alone = Asker::owner;

template <class Value, std::size_t n>
Result<Value> read_word(std::string_view key, const std::string& text,
                        const std::array<Word<Value>, n>& words, Asker asker) {
    std::vector<std::string_view> known;
    std::string list;
    for (const Word<Value>& word : words) {
        if (word.text == text && word.from > asker)
            return invalid(
                std::string(key) + ":" + text +
                " is not for a container to ask for: only whoever runs the engine may (see --trust "
                "of `callcensus hook` and `callcensus runtime`)");
        if (word.text == text) return word.value;
        known.push_back(word.text);
        list += (list.empty() ? "" : ", ") + std::string(word.text);
    }
    const std::string meant = nearest_word(text, known);
    return invalid(std::string(key) + " is one of " + list + ", not \"" + text + "\"" +
                   (meant.empty() ? "" : ": \"" + meant + "\" is meant?"));
}

// What a stranger may ask for concerns his own container and his own new files. How fast the container runs
// is his affair: it may make the slowest calls without us, too.
using Engine = HookRequest::Engine;
constexpr std::array engines{Word<Engine>{"auto", Engine::automatic, anybody},
                             Word<Engine>{"ptrace", Engine::ptrace, anybody},
                             Word<Engine>{"adaptive", Engine::adaptive, anybody},
                             // Runs without the filter that the engine has given it.
                             Word<Engine>{"suspend", Engine::suspend, owner_alone}};
// Only what can be read again: the next run of the container extends the file.
constexpr std::array formats{
    Word<std::string_view>{"oci", "oci", anybody}, Word<std::string_view>{"docker", "docker", anybody},
    Word<std::string_view>{"spo", "spo", anybody}, Word<std::string_view>{"minijail", "minijail", anybody}};
constexpr std::array runtimes{
    Word<RuntimeSet>{"any", RuntimeSet::any, anybody}, Word<RuntimeSet>{"runc", RuntimeSet::runc, anybody},
    Word<RuntimeSet>{"crun", RuntimeSet::crun, anybody}, Word<RuntimeSet>{"none", RuntimeSet::none, anybody}};
// To extend a profile allows more to whoever runs under it; so both touch what is somebody else's.
constexpr std::array existing{Word<bool>{"merge", false, owner_alone},
                              Word<bool>{"replace", true, owner_alone}};
// Leaves the container the privileges that the engine has given it, and no more.
constexpr std::array privileges{Word<bool>{"keep", true, anybody}};

// Puts what the word stands for where it belongs.
template <class Words, class Target>
Result<void> set(std::string_view key, const std::string& text, const Words& words, Asker asker,
                 Target& target) {
    const auto value = read_word(key, text, words, asker);
    if (!value) return tl::unexpected(value.error());
    target = *value;
    return {};
}

Result<void> set_recording(std::string_view, const std::string& path, HookRequest& request) {
    if (!is_absolute(path)) return invalid("recording file path must be absolute, not \"" + path + "\"");
    request.recording = path;
    return {};
}

struct RequestOption {
    std::string_view key;
    Result<void> (*read)(std::string_view key, const std::string& text, HookRequest& request);
};
// The option of that key with one of those words, for that member of the request.
template <const auto& words, auto member>
constexpr RequestOption option_of_words(std::string_view key) {
    return {key, [](std::string_view name, const std::string& text, HookRequest& request) {
                return set(name, text, words, request.limits.asker, request.*member);
            }};
}
constexpr std::array options{
    option_of_words<engines, &HookRequest::engine>("engine"),
    option_of_words<formats, &HookRequest::format>("format"),
    option_of_words<runtimes, &HookRequest::runtime>("runtime"),
    option_of_words<existing, &HookRequest::replace_existing>("existing"),
    option_of_words<privileges, &HookRequest::keep_privileges>("privileges"),
    // Where a stranger's may be, as that of the other files, is for HookPlace to find out.
    RequestOption{"recording", set_recording},
};

Result<void> read_option(const std::string& part, HookRequest& request) {
    const auto colon = part.find(':');
    const std::string key = trimmed(part.substr(0, colon));
    const auto row = std::find_if(options.begin(), options.end(),
                                  [&](const RequestOption& option) { return option.key == key; });
    if (row == options.end() || colon == std::string::npos) {
        std::vector<std::string_view> known;
        for (const RequestOption& option : options) known.push_back(option.key);
        const std::string meant = nearest_word(key, known);
        return invalid(row != options.end()
                           ? "option \"" + key + "\" lacks its value, as in " + key + ":VALUE"
                           : "there is no option \"" + key + "\"" +
                                 (meant.empty() ? "" : "; is \"" + meant + "\" meant?"));
    }
    return row->read(row->key, trimmed(part.substr(colon + 1)), request);
}

}  // namespace

bool asks_for_recording(const Annotations& annotations) {
    return annotations.count(std::string(trace_annotation)) != 0;
}

Result<std::optional<HookRequest>> read_request(const Annotations& annotations, const Limits& limits) {
    const auto paths = annotations.find(std::string(trace_annotation));
    if (paths == annotations.end()) return std::nullopt;
    HookRequest request;
    request.limits = limits;
    if (auto read = read_paths(paths->second, request); !read) return tl::unexpected(read.error());
    const auto ours = annotations.find(std::string(options_annotation));
    if (ours == annotations.end()) return request;
    for (const std::string& part : split(ours->second)) {
        if (trimmed(part).empty()) continue;  // nothing, or a semi-colon at the end
        if (auto read = read_option(part, request); !read) return tl::unexpected(read.error());
    }
    return request;
}

}  // namespace callcensus
