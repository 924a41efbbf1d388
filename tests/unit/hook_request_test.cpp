#include "container/hook_request.hpp"

#include "catch.hpp"

namespace hook_request_test {

using namespace callcensus;
using callcensus::Asker;
using callcensus::HookRequest;
using callcensus::Limits;
using callcensus::read_request;

namespace {

const Limits of_owner{Asker::owner};

Annotations annotated(const std::string& trace, const std::string& options = "") {
    Annotations annotations{{"io.containers.trace-syscall", trace}};
    if (!options.empty()) annotations["io.callcensus.options"] = options;
    return annotations;
}

HookRequest request(const std::string& trace, const std::string& options = "",
                    const Limits& limits = of_owner) {
    const auto read = read_request(annotated(trace, options), limits);
    if (!read) FAIL(read.error().text());
    return read->value();
}

std::string error(const std::string& trace, const std::string& options = "",
                  const Limits& limits = of_owner) {
    const auto read = read_request(annotated(trace, options), limits);
    if (read) FAIL("is accepted: " + trace + " " + options);
    constexpr std::string_view begin = "invalid annotation: ";
    const std::string text = read.error().text();
    if (text.rfind(begin, 0) != 0) FAIL(text);
    return text.substr(begin.size());
}

}  // namespace

TEST_CASE("without the annotation nothing is asked for, whatever the options say") {
    CHECK_FALSE(*read_request({}, of_owner));
    CHECK_FALSE(*read_request({{"io.callcensus.options", "nonsense"}, {"x", "y"}}, of_owner));
}

TEST_CASE("the annotation names an output and perhaps an input, in either order") {
    CHECK(request("of:/tmp/p.json").output == "/tmp/p.json");
    CHECK(request("of:/tmp/p.json").baseline.empty());
    for (const char* text : {"of:/p;if:/b", "if:/b;of:/p", "if: /b ;of:\t/p "}) {
        CHECK(request(text).output == "/p");
        CHECK(request(text).baseline == "/b");
    }
}

TEST_CASE("what is wrong with the annotation") {
    CHECK(error("of:/p;if:/b;if:/c").rfind("more than one semi-colon", 0) == 0);
    CHECK(error("if:b;of:/p") == "input file path must be absolute, not \"b\"");
    CHECK(error("of:p") == "output file path must be absolute, not \"p\"");
    CHECK(error("of:") == "output file path must be absolute, not \"\"");
    for (const char* text : {"", "/p", " of:/p", "of:/p;", "OF:/p", "xx:/p"})
        CHECK(error(text).find("must start \"if:\" or \"of:\" prefix") != std::string::npos);
    CHECK(error("if:/b").rfind("providing output file is mandatory", 0) == 0);
}

TEST_CASE("our own options") {
    const HookRequest none = request("of:/p");
    CHECK(none.engine == HookRequest::Engine::automatic);
    CHECK(none.format.empty());
    CHECK(none.runtime == RuntimeSet::any);
    CHECK_FALSE(none.replace_existing);
    CHECK_FALSE(none.keep_privileges);
    const HookRequest all = request("of:/p",
                                    "engine:suspend; format:spo ;runtime:crun;recording:/r:1.json;"
                                    "existing:replace;privileges:keep;");
    CHECK(all.engine == HookRequest::Engine::suspend);
    CHECK(all.format == "spo");
    CHECK(all.runtime == RuntimeSet::crun);
    CHECK(all.recording == "/r:1.json");
    CHECK(all.replace_existing);
    CHECK(all.keep_privileges);
}

TEST_CASE("what is wrong with our options") {
    CHECK(error("of:/p", "egnine:ptrace") == "there is no option \"egnine\"; is \"engine\" meant?");
    CHECK(error("of:/p", "colour:red") == "there is no option \"colour\"");
    CHECK(error("of:/p", "engine") == "option \"engine\" lacks its value, as in engine:VALUE");
    CHECK(error("of:/p", "engine:adaptve") ==
          "engine is one of auto, ptrace, adaptive, suspend, not \"adaptve\": \"adaptive\" is meant?");
    CHECK(error("of:/p", "format:bpf").rfind("format is one of oci, docker, spo, minijail, not \"bpf\"", 0) ==
          0);
    CHECK(error("of:/p", "recording:r.json") == "recording file path must be absolute, not \"r.json\"");
}

TEST_CASE("a stranger asks for nothing that weakens his container or touches what is there") {
    const Limits of_stranger{Asker::stranger};
    for (const char* text : {"engine:suspend", "existing:replace", "existing:merge"})
        CHECK(error("of:/p", text, of_stranger).rfind(std::string(text) + " is not for a container", 0) == 0);
    CHECK(error("of:/p", "engine:ptrace;engine:suspend", of_stranger).find("suspend") != std::string::npos);
    for (const char* text :
         {"engine:auto", "engine:ptrace", "engine:adaptive", "format:oci", "format:docker", "format:spo",
          "format:minijail", "runtime:any", "runtime:none", "recording:/r", "privileges:keep"})
        CHECK(request("of:/p", text, of_stranger).limits.asker == Asker::stranger);
    // As long as nobody says more, it is a stranger.
    CHECK(Limits{}.asker == Asker::stranger);
}

}  // namespace hook_request_test
