#include "container/hook_job.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/procfs.hpp"
#include "catch.hpp"
#include "record/recording_heading.hpp"

namespace hook_job_test {

using namespace callcensus;

namespace {

// A bundle without an engine's storage around it: its annotations are the caller's.
struct Bundle {
    std::filesystem::path path;
    explicit Bundle(const std::string& config) {
        std::string name = std::filesystem::temp_directory_path() / "callcensus-XXXXXX";
        path = ::mkdtemp(name.data());
        REQUIRE(replace_file(path / "config.json", config));
    }
    Bundle(const Bundle&) = delete;
    Bundle& operator=(const Bundle&) = delete;
    ~Bundle() { std::filesystem::remove_all(path); }

    std::string state(const std::string& annotations, int pid = ::getpid()) const {
        return R"({"ociVersion":"1.0.2","id":"c1","pid":)" + std::to_string(pid) + R"(,"bundle":")" +
               path.string() + "\"" + annotations + "}";
    }
};

const std::string config = R"({"process":{"args":["ls","/"]}})";
const std::string with_filter =
    R"({"process":{"args":["ls"]},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}})";

std::string asking_for(const std::string& options) {
    return R"(,"annotations":{"io.containers.trace-syscall":"of:/p.json","io.callcensus.options":")" +
           options + "\"}";
}

HookJob job_of(const Bundle& bundle, const std::string& options) {
    const auto job = read_job(bundle.state(asking_for(options)), {});
    INFO((job ? "" : job.error().text()));
    REQUIRE(job);
    REQUIRE(*job);
    return **job;
}

bool has_no_filter_of_its_own() {
    const auto self = procfs::task_status(::getpid());
    return self && self->seccomp == 0;
}

}  // namespace

TEST_CASE("the state of a container says what is to be recorded, and how") {
    const Bundle bundle(config);
    const HookJob job = job_of(bundle, "");
    CHECK(job.init == ::getpid());
    CHECK(job.container == "c1");
    CHECK(job.command == std::vector<std::string>{"ls", "/"});
    CHECK(job.request.output == "/p.json");
    CHECK(job.request.limits.asker == Asker::owner);
    CHECK(job.plan.tick == std::optional<std::chrono::milliseconds>(snapshot_interval));
    CHECK_FALSE(job.plan.keep_privileges);
    CHECK(job_of(bundle, "privileges:keep").plan.keep_privileges);
    CHECK(job_of(bundle, "engine:ptrace").recorder->id() == "ptrace");
    CHECK(job_of(bundle, "engine:ptrace").notes.empty());
}

TEST_CASE("a container runs fast that has no filter, and says why it does not") {
    if (!has_no_filter_of_its_own()) return;
    const HookJob fast = job_of(Bundle(config), "");
    CHECK(fast.recorder == recorders().front());
    CHECK(fast.notes.empty());
    const HookJob slow = job_of(Bundle(with_filter), "engine:auto");
    CHECK(slow.recorder->id() == "ptrace");
    REQUIRE(slow.notes.size() == 1);
    CHECK(slow.notes.front().find("a seccomp filter of its own") != std::string::npos);
    CHECK(job_of(Bundle(with_filter), "engine:adaptive").recorder->id() == "adaptive");
}

TEST_CASE("nothing is done for a container that does not ask, and an error is told before one starts") {
    const Bundle bundle(config);
    const auto nothing = read_job(bundle.state(R"(,"annotations":{"a":"b"})"), {});
    REQUIRE(nothing);
    CHECK_FALSE(*nothing);
    // Where the state has no annotations those of the configuration count.
    const auto none_at_all = read_job(bundle.state(""), {});
    REQUIRE(none_at_all);
    CHECK_FALSE(*none_at_all);
    const Bundle asks(R"({"annotations":{"io.containers.trace-syscall":"of:/q.json"}})");
    const auto by_configuration = read_job(asks.state(""), {});
    REQUIRE(by_configuration);
    REQUIRE(*by_configuration);
    CHECK((*by_configuration)->request.output == "/q.json");

    CHECK_FALSE(read_job(bundle.state(asking_for(""), 0), {}));
    CHECK_FALSE(read_job(bundle.state(asking_for("engine:fast")), {}));
    CHECK_FALSE(read_job("{", {}));
    // Not a stranger's to ask for.
    CHECK_FALSE(read_job(bundle.state(asking_for("engine:suspend")), {Trust::nobody}));
    CHECK_FALSE(read_job(R"({"id":"c1","pid":1,"bundle":"/nowhere","annotations":{"io.containers.)"
                         R"(trace-syscall":"of:/p"}})",
                         {}));
}

}  // namespace hook_job_test
