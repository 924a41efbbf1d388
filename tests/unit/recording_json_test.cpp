#include <algorithm>
#include <cerrno>
#include <limits>

#include "callcensus/format.hpp"
#include "catch.hpp"

namespace recording_json_test {

using namespace callcensus;

namespace {

Recording sample() {
    Recording recording;
    recording.generator = "callcensus 1";
    recording.engine = "ptrace";
    recording.host = {"6.18.0", "x86_64"};
    recording.command = {"sh", "-c", "true \xc3\xa9"};
    recording.started = std::chrono::system_clock::from_time_t(1'790'000'000) + std::chrono::milliseconds(7);
    recording.duration = Milliseconds(12.345);
    recording.status = ExitStatus{0, 15};
    recording.gaps = {"a gap"};
    recording.notes = {"a note"};
    recording.executables = {"/bin/sh", "/bin/true"};
    recording.processes = {{10, std::nullopt, Milliseconds(0), {0}, 1, ExitStatus{0, 15}},
                           {11, 0, Milliseconds(1.5), {0, 1}, 3, std::nullopt}};
    CallRecord call;
    call.call = {Abi::x32, 0x40000000 | 5000};
    call.count = 5;
    call.first = {Milliseconds(0.25), 1, 1};
    call.returned = {{0, 2}, {ENOENT, 1}, {512, 1}};
    call.by_executable = {{0, 1}, {1, 4}};
    call.sites = {{"/usr/lib/libc.so.6", "0abc", 0x10e1b2, "read", 0x12},
                  {"[vdso]", "", 0xfff, "", 0},
                  {"/usr/lib/libc.so.6", "0abc", 0x10, "", 0}};
    recording.calls = {call};
    return recording;
}

std::string error_of(const std::string& text) {
    const auto recording = parse_recording(text, "r.json");
    REQUIRE_FALSE(recording);
    return recording.error().text();
}

std::string with(std::string text, const std::string& what, const std::string& instead) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), instead);
}

}  // namespace

TEST_CASE("a recording comes back as it was written") {
    const std::string text = write_recording(sample());
    const auto again = parse_recording(text, "r.json");
    REQUIRE(again);
    CHECK(write_recording(*again) == text);
    CHECK(again->started == sample().started);
    CHECK(again->calls.at(0).returned == sample().calls.at(0).returned);
    CHECK(again->calls.at(0).unfinished() == 1);
    CHECK(again->calls.at(0).sites == sample().calls.at(0).sites);
    CHECK(again->processes.at(1).parent == 0U);
    CHECK(again->status == sample().status);
}

TEST_CASE("modules stand once in a recording's file") {
    const std::string text = write_recording(sample());
    CHECK(text.find("/usr/lib/libc.so.6") == text.rfind("/usr/lib/libc.so.6"));
    CHECK(
        error_of(with(text, "\"module\": 1", "\"module\": 2")).find("sites[1] is 2, but there are only 2") !=
        std::string::npos);
    CHECK(error_of(with(text, "\"offset\": 16", "\"offset\": -16")).find("sites[2].offset") !=
          std::string::npos);
}

TEST_CASE("recordings of before the sites are read") {
    Recording recording = sample();
    recording.calls.front().sites.clear();
    std::string text = write_recording(recording);
    text = with(text, " \"modules\": [],\n", "");
    text = with(text, ",\n   \"sites\": []", "");
    const auto again = parse_recording(text, "r.json");
    REQUIRE(again);
    CHECK(again->calls.front().sites.empty());
    CHECK(write_recording(*again) == write_recording(recording));
}

TEST_CASE("times do not shrink when a recording is written again") {
    Recording recording = sample();
    recording.calls.clear();
    for (int microseconds = 0; microseconds < 10'000; ++microseconds) {
        CallRecord call = sample().calls.front();
        call.call.number = static_cast<std::uint32_t>(microseconds);
        call.first.at = Milliseconds(microseconds / 1000.0);
        recording.calls.push_back(call);
    }
    const auto again = parse_recording(write_recording(recording), "r.json");
    REQUIRE(again);
    REQUIRE(again->calls.size() == recording.calls.size());
    CHECK(std::equal(recording.calls.begin(), recording.calls.end(), again->calls.begin(),
                     [](const CallRecord& a, const CallRecord& b) { return a.first.at == b.first.at; }));
}

TEST_CASE("bytes that are no UTF-8 do not stop a recording from being written") {
    Recording recording = sample();
    recording.command = {"\xff\xfe"};
    CHECK(parse_recording(write_recording(recording), "r.json"));
}

TEST_CASE("what is not a recording, or does not fit together, is refused") {
    const std::string text = write_recording(sample());
    CHECK(error_of(R"({"defaultAction": "SCMP_ACT_ERRNO"})").find("is not a callcensus recording") !=
          std::string::npos);
    CHECK(error_of(with(text, "\"version\": 1", "\"version\": 2")).find("version is not 1") !=
          std::string::npos);
    CHECK(error_of(with(text, "\"x32\"", "\"vax\"")).find("calls[0].abi is an unknown ABI \"vax\"") !=
          std::string::npos);
    CHECK(error_of(with(text, "ENOENT", "ENOTHING")).find("unknown errno \"ENOTHING\"") != std::string::npos);
    CHECK(error_of(with(text, "\"process\": 1", "\"process\": 9")).find("there are only 2") !=
          std::string::npos);
    CHECK(error_of(with(text, "\"parent\": 0", "\"parent\": 1")).find("there are only 1") !=
          std::string::npos);
    CHECK(error_of(with(text, "2026-", "today ")).find("started must look like") != std::string::npos);
}

TEST_CASE("a recording that says it is not complete stays so") {
    const std::string text = with(write_recording(sample()), "\"a gap\"", "");
    const auto recording = parse_recording(text, "r.json");
    REQUIRE(recording);
    CHECK_FALSE(recording->complete());
}

TEST_CASE("what is not exact is said") {
    Recording recording = sample();
    CHECK(recording.exact_counts());
    recording.processes[1].scope = Scope::executable;
    CHECK(recording.scope() == Scope::executable);
    CHECK_FALSE(recording.exact_counts());
    recording.assumed = {{Abi::x86_64, 1}, {Abi::x86_64, 6000}};
    const std::string text = write_recording(recording);
    CHECK(text.find("\"at least\"") != std::string::npos);
    CHECK(text.find("\"unfinished\"") == std::string::npos);
    const auto again = parse_recording(text, "r.json");
    REQUIRE(again);
    CHECK(again->processes[0].scope == Scope::process);
    CHECK(again->processes[1].scope == Scope::executable);
    CHECK(again->assumed == recording.assumed);
    CHECK(write_recording(*again) == text);
    CHECK(error_of(with(text, "\"scope\": \"executable\"", "\"scope\": \"planet\""))
              .find("must be process, executable or tree") != std::string::npos);
}

TEST_CASE("a time comes back as it was written, or is refused") {
    const auto rewritten = [](const std::string& started) -> std::string {
        const auto recording =
            parse_recording(with(write_recording(sample()), "2026-09-21T14:13:20.007Z", started), "r.json");
        if (!recording)
            return recording.error().text().find("started must look like") != std::string::npos
                       ? "refused"
                       : recording.error().text();
        const std::string text = write_recording(*recording);
        const auto again = parse_recording(text, "again");
        REQUIRE(again);
        CHECK(write_recording(*again) == text);
        const auto at = text.find("\"started\": \"") + 12;
        return text.substr(at, text.find('"', at) - at);
    };
    for (const std::string time :
         {"2026-09-21T14:13:20.007Z", "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z",
          "1700-02-28T01:02:03.004Z", "2261-12-31T23:59:59.999Z", "1677-09-22T00:00:00.000Z",
          "2262-04-11T23:47:16.854Z", "2024-02-29T23:59:59.999Z"})
        CHECK(rewritten(time) == time);
    CHECK(rewritten("2026-01-02T03:04:05.5Z") == "2026-01-02T03:04:05.500Z");
    CHECK(rewritten("2026-01-02T03:04:05.123456789Z") == "2026-01-02T03:04:05.123Z");
    for (const std::string time :
         {"2262-04-11T23:47:16.855Z", "2263-01-01T00:00:00.000Z",  "9999-12-31T23:59:59.999Z",
          "1677-09-21T00:00:00.000Z", "0001-01-01T00:00:00.000Z",  "-001-01-01T00:00:00.000Z",
          "2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z",  "2026-00-01T00:00:00.000Z",
          "2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z",  "2026-01-01T00:00:60.000Z",
          "2026-01-01T00:00:00Z",     "2026-01-01T00:00:00.Z",     "2026-01-01T00:00:00.000",
          "2026-01-01T00:00:00.-05Z", "2026-01-01T00:00:00.000Z ", " 2026-01-01T00:00:00.000Z",
          "2026-1-01T00:00:00.000Z",  "12026-01-01T00:00:00.000Z", ""})
        CHECK(rewritten(time) == "refused");
}

TEST_CASE("durations of any size come back as they were written") {
    for (const double milliseconds :
         {0.0, -0.001, 12.345, -5.5, 1e12, 9007199254740.991, 9.3e15, 1e18, 1.5e300, -1e300}) {
        Recording recording = sample();
        recording.duration = recording.processes[1].started = recording.calls[0].first.at =
            Milliseconds(milliseconds);
        const std::string text = write_recording(recording);
        const auto again = parse_recording(text, "r.json");
        REQUIRE(again);
        CHECK(again->duration.count() == milliseconds);
        CHECK(again->processes[1].started.count() == milliseconds);
        CHECK(again->calls[0].first.at.count() == milliseconds);
        CHECK(write_recording(*again) == text);
    }
    Recording recording = sample();
    recording.duration = Milliseconds(std::numeric_limits<double>::infinity());
    CHECK(parse_recording(write_recording(recording), "r.json"));
}

}  // namespace recording_json_test
