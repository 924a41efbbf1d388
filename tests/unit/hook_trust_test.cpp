#include "container/hook_trust.hpp"

#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "catch.hpp"

namespace hook_trust_test {

using namespace callcensus;

namespace {

const Annotations plain{{"io.containers.trace-syscall", "of:/p"}};
const Origin by_caller{false, Annotations{}};

// podman's storage, of one container.
struct Storage {
    std::filesystem::path root;
    std::string bundle;
    Storage() {
        std::string name = std::filesystem::temp_directory_path() / "callcensus-XXXXXX";
        root = ::mkdtemp(name.data());
        bundle = root / "overlay-containers/c1/userdata";
        std::filesystem::create_directories(bundle);
        std::filesystem::create_directories(root / "overlay-images/i1");
    }
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    ~Storage() { std::filesystem::remove_all(root); }
    void write(const std::string& name, const std::string& text) const {
        REQUIRE(replace_file(root / name, text));
    }
};

}  // namespace

TEST_CASE("whose words annotations are") {
    const auto asker = [](Trust trust, const Origin& origin = by_caller) {
        return asker_of(trust, plain, origin);
    };
    const Origin by_environment{true, Annotations{}}, by_image{false, plain}, unknown{false, std::nullopt};
    const Origin image_overruled{false, Annotations{{"io.containers.trace-syscall", "of:/image"}}};
    CHECK(asker(Trust::caller) == Asker::owner);
    CHECK(asker(Trust::caller, image_overruled) == Asker::owner);
    for (const Origin& origin : {by_image, unknown, by_environment})
        CHECK(asker(Trust::caller, origin) == Asker::stranger);
    for (const Origin& origin : {by_caller, by_image, unknown}) {
        CHECK(asker(Trust::nobody, origin) == Asker::stranger);
        CHECK(asker(Trust::annotations, origin) == Asker::owner);
    }
    CHECK(asker(Trust::annotations, by_environment) == Asker::stranger);
    CHECK(asker(Trust::everybody, by_environment) == Asker::owner);
    for (const char* name : {"io.kubernetes.cri-o.SandboxID", "io.kubernetes.cri.sandbox-id"}) {
        Annotations of_pod = plain;
        of_pod.emplace(name, "x");
        CHECK(asker_of(Trust::caller, of_pod, by_caller) == Asker::stranger);
        CHECK(asker_of(Trust::annotations, of_pod, by_caller) == Asker::owner);
    }
    CHECK(read_trust("annotations").value() == Trust::annotations);
    CHECK_FALSE(read_trust("all"));
}

TEST_CASE_METHOD(Storage, "what podman's storage says of a container's image") {
    CHECK(annotations_of_image("/run/bundle") == Annotations{});
    CHECK_FALSE(annotations_of_image(bundle));
    for (const std::string list :
         {"overlay-containers/containers.json", "overlay-containers/volatile-containers.json"}) {
        write(list, R"([{"id":"c0","image":"i0"},{"id":"c1","image":"i1"}])");
        CHECK_FALSE(annotations_of_image(bundle));
        write("overlay-images/i1/manifest", R"({"annotations":{"a":"b","n":1}})");
        CHECK(annotations_of_image(bundle) == Annotations{{"a", "b"}});
        write("overlay-images/i1/manifest", R"({"schemaVersion":2})");
        CHECK(annotations_of_image(bundle) == Annotations{});
        write(list, R"([{"id":"c1","image":""}])");
        CHECK(annotations_of_image(bundle) == Annotations{});
        for (const char* nonsense : {"[", "{}", "[1]", R"([{"id":1}])"}) {
            write(list, nonsense);
            CHECK_FALSE(annotations_of_image(bundle));
        }
        std::filesystem::remove(root / "overlay-images/i1/manifest");
    }
}

}  // namespace hook_trust_test
