#include "container/container_command.hpp"

#include <map>

#include "catch.hpp"

namespace container_command_test {

using callcensus::container_command;
using callcensus::ContainerCommand;

TEST_CASE("commands that start containers are known, and those that ask a daemon") {
    const std::map<std::vector<std::string>, ContainerCommand> cases{
        {{"podman", "run", "alpine"}, ContainerCommand::starts_it},
        {{"/usr/bin/podman", "--log-level", "debug", "exec", "c", "ls"}, ContainerCommand::starts_it},
        {{"podman", "ps"}, ContainerCommand::no},
        {{"podman"}, ContainerCommand::no},
        {{"podman", "--remote", "run", "alpine"}, ContainerCommand::asks_a_daemon},
        {{"podman", "--url=ssh://host", "run", "alpine"}, ContainerCommand::asks_a_daemon},
        {{"runc", "--root", "/r", "run", "c"}, ContainerCommand::starts_it},
        {{"crun", "exec", "c", "ls"}, ContainerCommand::starts_it},
        {{"docker", "run", "alpine"}, ContainerCommand::asks_a_daemon},
        {{"docker", "version"}, ContainerCommand::no},
        {{"docker-compose", "up"}, ContainerCommand::asks_a_daemon},
        {{"ls", "run"}, ContainerCommand::no},
    };
    for (const auto& [argv, expected] : cases) {
        INFO(argv.front() << " and " << argv.size() - 1 << " words");
        CHECK(container_command(argv) == expected);
    }
}

}  // namespace container_command_test
