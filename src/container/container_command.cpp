#include "container/container_command.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace callcensus {
namespace {

struct Program {
    std::string_view name;
    ContainerCommand kind;
};
constexpr std::array programs{
    Program{"podman", ContainerCommand::starts_it},
    Program{"runc", ContainerCommand::starts_it},
    Program{"crun", ContainerCommand::starts_it},
    Program{"docker", ContainerCommand::asks_a_daemon},
    Program{"docker-compose", ContainerCommand::asks_a_daemon},
    Program{"nerdctl", ContainerCommand::asks_a_daemon},
    Program{"ctr", ContainerCommand::asks_a_daemon},
    Program{"kubectl", ContainerCommand::asks_a_daemon},
};
constexpr std::array<std::string_view, 5> starting_verbs{"run", "exec", "start", "create", "up"};

}  // namespace

ContainerCommand container_command(const std::vector<std::string>& argv) {
    const std::string_view path = argv.front();
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const auto* program =
        std::find_if(programs.begin(), programs.end(), [&](const Program& row) { return row.name == name; });
    if (program == programs.end()) return ContainerCommand::no;
    const auto has = [&](std::string_view begin) {
        return std::any_of(argv.begin() + 1, argv.end(),
                           [&](const std::string& word) { return word.rfind(begin, 0) == 0; });
    };
    if (name == "podman" && (has("--remote") || has("--connection") || has("--url")))
        return ContainerCommand::asks_a_daemon;
    // Options come before the verb, some with values of their own: the verb is the first word known to be
    // one.
    const bool starts = std::any_of(argv.begin() + 1, argv.end(), [](const std::string& word) {
        return std::find(starting_verbs.begin(), starting_verbs.end(), word) != starting_verbs.end();
    });
    return starts ? program->kind : ContainerCommand::no;
}

}  // namespace callcensus
