// Prints from where a command makes a call: of each time the site, and the stack indented.
//
//     print_stacks CALL COMMAND [ARG...]
#include <iostream>

#include "callcensus/attribution.hpp"
#include "callcensus/recorder.hpp"

namespace {

using namespace callcensus;

class Printer final : public Sink {
  public:
    explicit Printer(std::string call) : call_(std::move(call)) {}

    Verdict on(const Event& event) override {
        tree_.on(event);
        attribution_.on(event);
        const auto* seen = std::get_if<SyscallSeen>(&event);
        if (seen == nullptr || syscall_name(seen->call) != call_) return Verdict::go_on;
        if (const auto site = attribution_.site_of(*seen)) std::cout << text(*site) << '\n';
        for (const CallSite& frame : attribution_.stack_of(*seen)) std::cout << "  " << text(frame) << '\n';
        return Verdict::go_on;
    }

  private:
    std::string call_;
    ProcessTree tree_;
    Attribution attribution_{tree_};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "usage: print_stacks CALL COMMAND [ARG...]\n";
        return 2;
    }
    Printer printer(argv[1]);
    const auto outcome = find_recorder("ptrace")->run(Launch{{argv + 2, argv + argc}}, Plan{}, printer);
    if (!outcome) std::cerr << outcome.error().text() << '\n';
    return outcome ? 0 : 1;
}
