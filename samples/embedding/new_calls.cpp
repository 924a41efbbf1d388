// Uses the library directly: runs a command and prints each system call when it is made for the first time.
//
//     new_calls ls -l
#include <callcensus/abi.hpp>
#include <callcensus/recorder.hpp>
#include <iostream>
#include <set>

namespace {

struct NewCalls final : callcensus::Sink {
    std::set<callcensus::Syscall> known;

    callcensus::Verdict on(const callcensus::Event& event) override {
        const auto* seen = std::get_if<callcensus::SyscallSeen>(&event);
        if (seen != nullptr && known.insert(seen->call).second)
            std::cerr << "new: " << callcensus::syscall_name(seen->call) << " ("
                      << callcensus::info(seen->call.abi).id << " " << seen->call.number << ")\n";
        return callcensus::Verdict::go_on;
    }
};

}  // namespace

int main(int argc, char** argv) {
    const callcensus::Launch target{{argv + 1, argv + argc}};
    const callcensus::Plan plan;
    const callcensus::Recorder* recorder = callcensus::recorders().front();
    if (const auto possible = recorder->check(target, plan); !possible) {
        std::cerr << "new_calls: " << possible.error().text() << '\n';
        return 125;
    }
    NewCalls sink;
    const auto outcome = recorder->run(target, plan, sink);
    if (!outcome) {
        std::cerr << "new_calls: " << outcome.error().text() << '\n';
        return 125;
    }
    std::cerr << sink.known.size() << " different calls\n";
    return outcome->started && outcome->status ? outcome->status->code : 127;
}
