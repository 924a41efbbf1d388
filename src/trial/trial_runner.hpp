// Runs a command again and again under profiles that are really loaded, and says how each run went.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "callcensus/minimize.hpp"
#include "callcensus/recorder.hpp"

namespace callcensus {

struct TrialOptions {
    std::vector<std::string> command;
    std::string check;  ///< a program that says whether a run has succeeded; empty: its exit status does
    std::optional<std::chrono::milliseconds> timeout;  ///< empty: by the time that the first run takes
    bool to_stderr = false;  ///< what the first run prints on standard output: that is for the profile
    std::function<void(const std::string& line)> tell;  ///< of each run, and warnings; may be empty
    Machine machine;
};

/// Notes, for its life, signals that would end us and come while no recorder takes them. One at a time.
class RequestToEnd {
  public:
    RequestToEnd();
    RequestToEnd(const RequestToEnd&) = delete;
    RequestToEnd& operator=(const RequestToEnd&) = delete;
    ~RequestToEnd();

    /// The signal, or 0.
    [[nodiscard]] static int noted();

  private:
    std::vector<std::pair<int, struct sigaction>> before_;
};

class TrialRunner {
  public:
    explicit TrialRunner(TrialOptions options) : options_(std::move(options)) {}

    /// For minimize(). Standard input is empty; what the command prints is shown the first time only. A run
    /// ends with the command: what it leaves behind is killed.
    Result<Trial> run(const Profile& profile, const std::set<std::string>& without);

    /// Where the first run could not execute the command.
    [[nodiscard]] const std::optional<Outcome>& failed_exec() const { return failed_exec_; }
    /// The signal that has ended the search, or 0.
    [[nodiscard]] int interrupted_by() const { return interrupted_by_; }

  private:
    struct Output {
        UniqueFd out, err;
    };
    [[nodiscard]] Result<Output> output() const;
    [[nodiscard]] Result<bool> check(const ExitStatus& status, const Output& output);
    void show(const Output& output) const;

    RequestToEnd request_;
    TrialOptions options_;
    std::size_t runs_ = 0;
    std::optional<Outcome> failed_exec_;
    int interrupted_by_ = 0;
};

}  // namespace callcensus
