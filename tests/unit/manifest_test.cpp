// Files of several profiles, and what kind of file a text is.
#include "callcensus/format.hpp"
#include "catch.hpp"
#include "format/recognition.hpp"

namespace manifest_test {

using namespace callcensus;

namespace {

std::string profile_named(const std::string& name, const std::string& action) {
    return "apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\nmetadata: {name: " +
           name + "}\nspec: {defaultAction: " + action + "}\n";
}

const std::string two = "# both\n---\n" + profile_named("web", "SCMP_ACT_ERRNO") + "---\n---\n" +
                        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: web-config}\n---\n" +
                        profile_named("worker", "SCMP_ACT_KILL_PROCESS") + "...\n";

ReadContext choosing(const std::string& name, std::vector<std::string>* notes = nullptr) {
    ReadContext context;
    context.source = "p.yaml";
    context.choose = name;
    context.tell = [notes](const std::string& what, const std::string& where) {
        if (notes != nullptr) notes->push_back(where + ": " + what);
    };
    return context;
}

}  // namespace

TEST_CASE("a manifest holds several profiles") {
    std::vector<std::string> notes;
    const auto all = read_profiles(two, choosing("", &notes));
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    CHECK(all->at(0).name == "web");
    CHECK(all->at(1).name == "worker");
    CHECK(all->at(1).profile.default_action == Action::kill_process);
    CHECK(notes == std::vector<std::string>{"p.yaml:9:1: is passed over: a ConfigMap, no SeccompProfile"});

    CHECK(read_profile(two, choosing("worker")).value().default_action == Action::kill_process);
    const auto none = read_profile(two, choosing(""));
    REQUIRE_FALSE(none);
    CHECK(none.error().text() == "p.yaml: holds 2 profiles (web, worker): choose one as p.yaml#NAME");
    for (const std::string name : {"wen", "web-config"}) {
        const auto missing = read_profile(two, choosing(name));
        REQUIRE_FALSE(missing);
        CHECK(missing.error().text() ==
              "p.yaml: holds no SeccompProfile \"" + name + "\"; it holds web, worker");
    }
    const auto unnamed = read_profile("{\"defaultAction\": \"SCMP_ACT_LOG\"}", choosing("x"));
    REQUIRE_FALSE(unnamed);
    CHECK(unnamed.error().text().find("has no names") != std::string::npos);

    // Every place is one in the whole file.
    const auto wrong = read_profiles(two + "---\n" + profile_named("x", "SCMP_ACT_NONE"), choosing(""));
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().text().find("p.yaml:22:23: spec.defaultAction is an unknown action") == 0);
    const auto lenient =
        read_all_leniently(two + "---\n" + profile_named("x", "SCMP_ACT_NONE"), choosing(""));
    REQUIRE(lenient);
    REQUIRE(lenient->size() == 3);
    CHECK(lenient->at(2).faults.at(0).place.line == 22);
}

TEST_CASE("a manifest can be JSON, and a list") {
    const std::string object =
        R"({"apiVersion": "security-profiles-operator.x-k8s.io/v1beta1", "kind": "SeccompProfile",
            "metadata": {"name": "web"}, "spec": {"defaultAction": "SCMP_ACT_LOG"}})";
    CHECK(read_profile(object, "p.json").value().default_action == Action::log);
    for (const std::string kind : {"List", "SeccompProfileList"}) {
        const std::string list =
            R"({"apiVersion": "v1", "kind": ")" + kind + R"(", "items": [)" + object + ", null]}";
        CHECK(read_profile(list, "p.json").value().default_action == Action::log);
        CHECK(read_profile(list, choosing("web")).value().default_action == Action::log);
    }
    CHECK_FALSE(read_profile(R"({"apiVersion": "v1", "kind": "List", "items": []})", "p.json"));
    const auto other = read_profile("apiVersion: v1\nkind: Pod\n", "p.yaml");
    REQUIRE_FALSE(other);
    CHECK(other.error().text().find('\n') == std::string::npos);
}

TEST_CASE("what kind of file a text is shows in what it says") {
    const std::string filter("\x20\0\0\0\4\0\0\0\x06\0\0\0\0\0\xff\x7f", 16);
    const std::vector<std::pair<std::string, TextKind>> texts{
        {"{}", TextKind::profile},
        {" \n", TextKind::profile},
        {"{\"names\": }", TextKind::profile},
        {"[1]", TextKind::profile},
        {"{\"format\": \"callcensus-recording\"}", TextKind::recording},
        {"{\"ociVersion\": \"1.0\", \"linux\": {}}", TextKind::runtime_config},
        {"{\"kind\": \"List\", \"apiVersion\": \"v1\"}", TextKind::manifest},
        {"\xef\xbb\xbfkind: X\n", TextKind::manifest},
        {"---\n", TextKind::manifest},
        {"# nothing\n", TextKind::minijail},
        {"\n# x\nread: 1\n", TextKind::minijail},
        {"{read, write}: 1\n", TextKind::minijail},
        {"@include ./x\n", TextKind::minijail},
        {"open[arch=x86_64]: return ENOSYS", TextKind::minijail},
        {"[Unit]\nDescription=x\n", TextKind::systemd},
        {"; x\n[Service]\n", TextKind::systemd},
        {"SystemCallFilter=read\n", TextKind::systemd},
        {filter, TextKind::filter},
        {"{\"main\": {\"default_action\": \"trap\", \"filter\": []}}", TextKind::firecracker},
        {"\x7f"
         "ELF\2\1\1",
         TextKind::elf},
        {"root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/sh\n", TextKind::unknown},
        {"Hello: world\n", TextKind::unknown},
        {"name = value\n", TextKind::unknown},
        {std::string("\0\1\2", 3), TextKind::unknown},
    };
    for (const auto& [text, kind] : texts) {
        CAPTURE(text);
        CHECK(recognize(text) == kind);
    }
    const auto refusal = [](const std::string& text) {
        const auto profile = read_profile(text, "f");
        REQUIRE_FALSE(profile);
        CHECK(profile.error().text().find('\n') == std::string::npos);
        return profile.error().text();
    };
    CHECK(refusal(filter).find("is a compiled filter of 2 instructions") != std::string::npos);
    CHECK(refusal("{\"format\": 1}") == "f: is a recording; `callcensus derive` makes a profile of it");
    CHECK(refusal("root:x:0:0::/root:/bin/sh\n").find("is none of what is read") != std::string::npos);
    CHECK(refusal("{\"ociVersion\": \"1\"}").find("without linux.seccomp") != std::string::npos);
    CHECK(read_profile(R"({"ociVersion": "1", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_LOG"}}})", "f")
              .value()
              .default_action == Action::log);
}

TEST_CASE("an errno that no runtime takes is an error with its place") {
    const auto error = [](const std::string& text) {
        const auto profile = read_profile(text, "p");
        REQUIRE_FALSE(profile);
        return profile.error().text();
    };
    CHECK(error("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [\n{\"names\": [\"a\"], \"action\": "
                "\"SCMP_ACT_ERRNO\",\n\"errnoRet\": 12345}]}") ==
          "p:3:13: syscalls[0].errnoRet is 12345; the largest errno is 4095, and runtimes refuse the file");
    CHECK(error("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 4096}")
              .find("p:1:56: defaultErrnoRet is 4096") == 0);
    CHECK(error(profile_named(
                    "x", "SCMP_ACT_LOG, syscalls: [{names: [a], action: SCMP_ACT_ERRNO, errnoRet: 4096}]"))
              .find("spec.syscalls[0].errnoRet is 4096") != std::string::npos);
    // Of other actions it is a message, or nothing.
    CHECK(read_profile("{\"defaultAction\": \"SCMP_ACT_TRACE\", \"defaultErrnoRet\": 65535}", "p"));
    // A profile that was not read from a file is not written, either.
    Profile profile;
    profile.rules.resize(1);
    profile.rules[0].names = {"a"};
    profile.rules[0].action = Action::errno_;
    profile.rules[0].errno_ret = 4096;
    for (const FormatInfo& format : all_formats()) {
        WriteContext context;
        context.filter.emplace();
        CHECK_FALSE(write_as(format, profile, context));
    }
}

}  // namespace manifest_test
