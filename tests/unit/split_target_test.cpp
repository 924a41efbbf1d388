#include "cli/split_target.hpp"

#include "catch.hpp"

namespace split_target_test {

using callcensus::cli::CommandLine;
using callcensus::cli::Program;
using callcensus::cli::split_target;

namespace {
using Words = std::vector<std::string>;

struct Fixture {
    Program program{"callcensus", "", "", ""};
    CommandLine command = program.add("trace", "");
    std::string output;
    bool quiet = false;
    Fixture() {
        command.value("-o,--output", "FILE", output, "");
        command.flag("-q,--quiet", quiet, "");
    }
    void check(const Words& arguments, const Words& ours, const Words& target) {
        const auto split = split_target(command, arguments);
        CHECK(split.ours == ours);
        CHECK(split.target == target);
    }
};
}  // namespace

TEST_CASE_METHOD(Fixture, "the target begins at -- or at the first word that is no option") {
    check({"ls", "-o", "y"}, {}, {"ls", "-o", "y"});
    check({"--", "ls", "-o", "y"}, {}, {"ls", "-o", "y"});
    check({"-q", "ls", "-q"}, {"-q"}, {"ls", "-q"});
    check({"-o", "file", "ls"}, {"-o", "file"}, {"ls"});
    check({"-o", "--", "--", "ls"}, {"-o", "--"}, {"ls"});
    check({"--output", "file", "-q", "--", "--"}, {"--output", "file", "-q"}, {"--"});
    check({"-qo", "file", "ls"}, {"-qo", "file"}, {"ls"});
    check({"-oq", "ls"}, {"-oq"}, {"ls"});
    check({"-ofile", "ls"}, {"-ofile"}, {"ls"});
    check({"--output=file", "ls"}, {"--output=file"}, {"ls"});
}

TEST_CASE_METHOD(Fixture, "odd words belong to the target") {
    check({"-", "x"}, {}, {"-", "x"});
    check({"", "x"}, {}, {"", "x"});
    check({"--", "-q"}, {}, {"-q"});
}

TEST_CASE_METHOD(Fixture, "what is unknown or incomplete is left for the parser to complain about") {
    check({"--unknown", "ls"}, {"--unknown"}, {"ls"});
    check({"-o"}, {"-o"}, {});
    check({}, {}, {});
}

}  // namespace split_target_test
