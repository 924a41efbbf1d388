#include "cli/target_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/procfs.hpp"
#include "cli/messages.hpp"
#include "container/container_command.hpp"

namespace callcensus::cli {
namespace {

constexpr std::size_t longest_command = 60;

// "1234,1235", and what pgrep(1) and podman top print: one on each line. Each once.
Result<std::vector<pid_t>> read_process_ids(const std::vector<std::string>& words) {
    std::vector<pid_t> pids;
    for (const std::string& word : words)
        for (std::size_t at = 0; at <= word.size();) {
            const std::size_t end = std::min(word.find_first_of(", \t\n", at), word.size());
            const std::string text = word.substr(at, end - at);
            at = end + 1;
            if (text.empty()) continue;
            pid_t pid = 0;
            const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
            if (error != std::errc() || last != text.data() + text.size() || pid <= 0)
                return fail("\"" + text + "\" is no process id: expected numbers, as in -p 1234,1235", "-p");
            if (std::find(pids.begin(), pids.end(), pid) == pids.end()) pids.push_back(pid);
        }
    if (pids.empty()) return fail("names no process, as in -p 1234,1235", "-p");
    return pids;
}

}  // namespace

std::chrono::milliseconds milliseconds(double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::vector<std::string> command_of(const Target& target) {
    if (const auto* launch = std::get_if<Launch>(&target)) return launch->argv;
    if (const auto* attach = std::get_if<Attach>(&target))
        return procfs::command_line(attach->processes.front());
    return procfs::command_line(std::get<Container>(target).init);
}

void say_whom_we_follow(const Target& target) {
    const auto* attach = std::get_if<Attach>(&target);
    if (attach == nullptr) return;
    std::vector<std::string> whom;
    for (const pid_t pid : attach->processes) {
        std::string command = fmt::format("{}", fmt::join(procfs::command_line(pid), " "));
        if (command.size() > longest_command) command = command.substr(0, longest_command) + "...";
        whom.push_back(fmt::format("{} ({})", command, pid));
    }
    say(fmt::format("following {}; Ctrl-C lets go of {}", fmt::join(whom, ", "),
                    whom.size() == 1 ? "it" : "them"));
}

void TargetOptions::add_to(CommandLine& command, const std::string& group) {
    std::vector<std::string> engines{engine};
    for (const Recorder* recorder : recorders()) engines.emplace_back(recorder->id());
    command.group(group);
    command
        .value("--engine", "NAME", engine,
               "adaptive: stop at new calls; ptrace: at every call; auto (default): adaptive where possible")
        .one_of(engines);
    const Option attached =
        command.value("-p,--attach", "PID[,PID...]", attach,
                      "Record processes that run already, with all their threads, until they end or Ctrl-C");
    command
        .flag("--container", container,
              "Record what happens inside the containers that podman, runc or crun start (as root)")
        .excludes(attached);
    const Option limit = command.duration(
        "--timeout", "DURATION", timeout,
        "Send SIGTERM (with -p: let go) after that time: 500ms, 10s, 5m, 1h (a bare number: seconds)");
    command.duration("--kill-after", "DURATION", kill_after, "And SIGKILL that much later (default: 10s)")
        .needs(limit);
    command.flag("--keep-privileges", keep_privileges,
                 "Never set no_new_privs; unprivileged processes stay slow");
    command
        .flag("--until-exit", until_exit,
              "Stop following when the command itself has ended; what it left running goes on")
        .excludes(attached);
}

Result<Target> TargetOptions::target(const std::vector<std::string>& command,
                                     const std::string& example) const {
    if (attaches()) {
        auto pids = read_process_ids(attach);
        if (!pids) return tl::unexpected(pids.error());
        if (!command.empty()) return fail("takes no command: it records processes that run already", "-p");
        return Attach{std::move(*pids)};
    }
    if (command.empty()) return fail("there is no command to run, as in: " + example);
    if (container && container_command(command) == ContainerCommand::asks_a_daemon)
        return fail(
            "only asks a daemon to start the container, which cannot be followed from here: "
            "`callcensus runtime` records it (docs/containers.md)",
            command.front());
    return Launch{command, container};
}

std::string TargetOptions::advice(const std::vector<std::string>& command) const {
    if (command.empty()) return {};
    const ContainerCommand containers = container_command(command);
    if (!container && containers == ContainerCommand::starts_it)
        return "this records " + command.front() +
               " and all that it starts; --container records only what happens inside the container";
    if (containers == ContainerCommand::asks_a_daemon)
        return "this records only " + command.front() +
               ", which asks a daemon to start the container: `callcensus runtime` records containers "
               "(docs/containers.md)";
    return {};
}

void TargetOptions::put_on(Plan& plan) const {
    plan.until_exit = until_exit;
    plan.keep_privileges = keep_privileges;
    if (timeout) plan.timeout = milliseconds(*timeout);
    if (kill_after) plan.kill_after = milliseconds(*kill_after);
}

Result<Choice> TargetOptions::choose_engine(const Target& target, const Plan& plan) const {
    auto choice = choose_recorder(engine, target, plan);
    if (!choice && engine != any_recorder) return fail(choice.error().message, "--engine " + engine);
    return choice;
}

}  // namespace callcensus::cli
