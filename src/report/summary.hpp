// What a person, or a program, wants to know when a recording has been made and written.
#pragma once

#include <string>
#include <vector>

#include "callcensus/derive.hpp"
#include "callcensus/recording.hpp"

namespace callcensus {

/// A profile that was made.
struct ProfileReport {
    std::string path;        // where it is to be written
    std::string executable;  // whose it is, where there is one for each
    Derivation derivation;
    bool written = false;
};

struct Summary {
    const Recording& recording;
    const std::vector<ProfileReport>& profiles;
    std::string why_this_engine;  // and not a preferred one; empty where there was nothing to choose
    std::size_t survivors = 0;    // processes that were still there when the first one had ended
    std::size_t let_go = 0;       // tasks that live on without us
    std::string recording_path;   // empty: not written
};

/// Lines without the program's name in front.
[[nodiscard]] std::vector<std::string> summary_lines(const Summary& summary);

/// The same as one JSON object, on one line.
[[nodiscard]] std::string summary_json(const Summary& summary);

/// What the derivations have to say, each line once.
[[nodiscard]] std::vector<std::string> warnings(const std::vector<ProfileReport>& profiles);

/// One line about a call that no profile can speak of.
[[nodiscard]] std::string describe(const UnnamedCall& call);

/// What a recording says about the limits of what it can know: io_uring, a target that traces, and the like.
[[nodiscard]] std::vector<std::string> advice(const Recording& recording);

}  // namespace callcensus
