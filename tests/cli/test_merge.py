"""`callcensus merge`: of profiles by what they mean, of recordings without a loss; its warnings, its output
file, and input that does not belong together."""

import json
import re
import stat

import pytest

import harness
from profiles import PUBLISHED, allow, profile

try:
    import jsonschema
except ImportError:
    jsonschema = None

DOCS = harness.REPOSITORY / "docs"


class Case(harness.Case):
    def merge(self, *arguments, **options):
        return self.callcensus("merge", *arguments, **options)

    def assert_same_meaning(self, one, other, *options):
        done = self.callcensus("diff", *options, str(one), str(other))
        assert done.status == 0


class TestProfiles(Case):
    def set_up(self):
        super().set_up()
        self.write("a.json", profile(allow("read", "write", comment="web")))
        self.write("b.json", profile(allow("write", "close", comment="worker")))

    def names(self, *arguments, **options):
        done = self.merge(*arguments, **options)
        assert (done.status, done.err) == (0, "")
        return sorted(harness.all_names(json.loads(done.out)))

    def test_union_intersection_and_difference(self):
        assert self.names("a.json", "b.json") == ["close", "read", "write"]
        assert self.names("--intersect", "a.json", "b.json") == ["write"]
        assert self.names("--subtract", "a.json", "b.json") == ["read"]
        assert self.names("a.json") == ["read", "write"]
        done = self.merge("--intersect", "--subtract", "a.json", "b.json")
        self.assert_complains(done, "--intersect", "--subtract")

    def test_who_needed_what(self):
        rules = json.loads(self.merge("a.json", "b.json").out)["syscalls"]
        assert ({tuple(rule["names"]): rule["comment"] for rule in rules} ==
                {("read",): "web", ("close",): "worker", ("write",): "web; worker"})

    @pytest.mark.parametrize("path", PUBLISHED.values(), ids=PUBLISHED.keys())
    @pytest.mark.parametrize("option", [(), ("--intersect",)])
    def test_published_profiles_with_themselves(self, path, option):
        if not path.exists():
            pytest.skip(f"not there: {path}")
        done = self.merge("-q", *option, str(path), str(path), "-o", "merged.json")
        assert (done.status, done.out, done.err) == (0, "", "")
        self.assert_same_meaning(path, "merged.json", "--conditions")
        self.assert_same_meaning(path, "merged.json")
        self.assert_same_meaning(path, "merged.json", "--arch", "arm64", "--caps", "none", "--kernel", "4.4")

    def test_warnings(self):
        def when(*conditions):
            return [{"index": index, "op": f"SCMP_CMP_{op}", "value": value}
                    for index, op, value in conditions]
        self.write("one.json", profile(allow("read", args=when((0, "NE", 2), (1, "GT", 5)))))
        self.write("two.json", profile(allow("read", args=when((0, "EQ", 2), (1, "LT", 3)))))
        done = self.merge("one.json", "two.json")
        assert done.status == 0
        assert re.search(r"\Acallcensus: warning: read is allowed more widely [^\n]+\n\Z", done.err)
        assert json.loads(done.out)["syscalls"] == [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]
        quiet = self.merge("-q", "one.json", "two.json")
        assert (quiet.out, quiet.err) == (done.out, "")

    def test_a_thousand_profiles(self):
        names = [rule["names"] for rule in json.loads(PUBLISHED["docker"].read_text("utf-8"))["syscalls"]]
        names = sorted({name for some in names for name in some})
        files = []
        for at in range(1000):
            some = [names[(at * 7 + call * 3) % len(names)] for call in range(60)]
            files.append(self.write(f"{at}.json", profile(allow(*some, comment=f"test {at}"))))
        assert self.names(*files) == names  # within the deadline of the harness

    # ---- input

    def test_standard_input(self):
        text = self.path("b.json").read_bytes()
        assert self.names("a.json", "-", stdin=text) == ["close", "read", "write"]
        assert self.names("--subtract", "-", "a.json", stdin=text) == ["close"]
        self.assert_complains(self.merge("-", "-", stdin=text), "standard input (-) can be read only once")
        self.assert_complains(self.merge("a.json", "-", stdin=b"{\n]"), "standard input:2:1: ")

    def test_trouble(self):
        self.assert_complains(self.merge(), "FILE")
        self.assert_complains(self.merge("a.json", "missing.json"), "missing.json", "No such file")
        self.assert_complains(self.merge("--arch", "vax", "a.json"), "--arch vax")

    @pytest.mark.parametrize("name, content", [
        ("cut.json", '{"defaultAction": "SCMP_ACT_ERRNO",\n "syscalls": ['),
        ("action.json", '{"defaultAction":\n  "SCMP_ACT_NO"}'),
        ("recording.json", '{"format": "callcensus-recordings",\n "version": 2}')],
        ids=["cut", "action", "recording"])
    @pytest.mark.parametrize("name_comes_first", [True, False])
    def test_trouble_in_a_file(self, name, content, name_comes_first):
        self.write(name, content)
        arguments = (name, "a.json") if name_comes_first else ("a.json", name)
        done = self.merge(*arguments, "-o", "out.json")
        self.assert_complains(done, name)
        assert re.search(rf"^callcensus: {name}:\d+:\d+: ", done.err)
        assert "out.json" not in self.files()

    # ---- output

    def test_the_output_may_be_an_input_and_keeps_its_mode(self):
        self.path("a.json").chmod(0o640)
        self.path("link.json").symlink_to("a.json")
        with open(self.path("a.json"), encoding="utf-8") as old:
            done = self.merge("a.json", "b.json", "-o", "link.json")
            assert (done.status, done.out, done.err) == (0, "", "")
            # Replaced and not rewritten: who has it open reads the old one to its end.
            assert old.read() == profile(allow("read", "write", comment="web"))
        assert sorted(harness.all_names(self.json("a.json"))) == ["close", "read", "write"]
        assert stat.S_IMODE(self.path("a.json").stat().st_mode) == 0o640
        assert self.path("link.json").is_symlink()
        assert self.files() == ["a.json", "b.json", "link.json"]

    def test_what_was_there_survives_trouble(self):
        before = self.path("a.json").read_bytes()
        self.assert_complains(self.merge("b.json", "missing.json", "-o", "a.json"), "missing.json")
        assert self.path("a.json").read_bytes() == before
        self.assert_complains(self.merge("a.json", "-o", "no/such/directory.json"), "no/such")
        self.assert_complains(self.merge("a.json", "-o", str(self.directory)), "directory")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.merge("a.json", stdout=full)
        assert done.status == harness.FAILED
        assert "No space left on device" in done.err


class TestRecordings(Case):
    def set_up(self):
        super().set_up()
        for name, command in (("true", ["true"]), ("ls", ["ls", "-l"]), ("sh", ["sh", "-c", "ls; exit 3"])):
            done = self.trace("-q", "-o", f"{name}.profile.json", "--recording", f"{name}.json", "--",
                              *command)
            assert done.status == (3 if name == "sh" else 0)
        self.inputs = ["true.json", "ls.json", "sh.json"]

    def test_nothing_is_lost(self):
        done = self.merge(*self.inputs, "-o", "all.json")
        assert (done.status, done.out, done.err) == (0, "", "")
        assert self.json("all.json")["recordings"] == [self.json(name) for name in self.inputs]
        # Several in one file count as several, and one alone is itself.
        done = self.merge("all.json", "true.json")
        assert json.loads(done.out)["recordings"] == [self.json(name) for name in (*self.inputs, "true.json")]
        assert json.loads(self.merge("ls.json").out) == self.json("ls.json")

    @pytest.mark.parametrize("options", [(), ("--observed-only",), ("--split",), ("--only", "ls")])
    def test_deriving_from_both_and_from_the_two_is_the_same(self, options):
        self.assert_succeeded(self.merge(*self.inputs, "-o", "all.json"))
        profiles = []
        for inputs in (("all.json",), self.inputs):
            directory = self.path(f"out{len(inputs)}{len(options)}{options[:1]}")
            directory.mkdir()
            done = self.callcensus("derive", "-q", *options, *inputs, "-o", str(directory / "p.json"))
            self.assert_succeeded(done)
            profiles.append({file.name: file.read_bytes() for file in directory.iterdir()})
        assert profiles[0] == profiles[1]
        assert profiles[0]

    @pytest.mark.parametrize("option, expected", [
        ("--intersect", set.intersection), ("--subtract", set.difference)])
    def test_intersection_and_difference(self, option, expected):
        done = self.merge(option, "sh.json", "true.json", "-o", "result.json")
        assert (done.status, done.err) == (0, "")
        calls = [set(harness.recorded(self.json(name))) for name in ("sh.json", "true.json")]
        assert set(harness.recorded(self.json("result.json"))) == expected(*calls)
        assert self.json("result.json")["calls"]
        assert re.search(r"^\d+ of its calls are left out, ", self.json("result.json")["notes"][-1])
        # A recording still, from which a profile is derived.
        self.assert_succeeded(self.callcensus("derive", "-q", "result.json", "-o", "p.json"))
        assert self.callcensus("diff", "result.json", "sh.json").status == 1

    def test_recordings_and_profiles_are_not_mixed(self):
        for arguments in (("true.json", "true.profile.json"), ("true.profile.json", "true.json")):
            done = self.merge(*arguments, "-o", "out.json")
            self.assert_complains(done, arguments[1] + ": ", "a recording with a profile", "callcensus derive")
            assert "out.json" not in self.files()

    @pytest.mark.skipif(jsonschema is None, reason="python3-jsonschema is not installed")
    def test_schema(self):
        one = json.loads((DOCS / "recording.schema.json").read_text(encoding="utf-8"))
        several = json.loads((DOCS / "recordings.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(several)
        # The other schema put where this one refers to it: nothing is to come from the network.
        assert several["properties"]["recordings"]["items"] == {"$ref": "recording.schema.json"}
        several["$defs"] = one.pop("$defs")
        several["properties"]["recordings"]["items"] = one
        validator = jsonschema.Draft202012Validator(several)
        merged = json.loads(self.merge(*self.inputs).out)
        assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(merged)] == []
        merged["recordings"][1]["calls"][0]["abi"] = "z80"
        assert not validator.is_valid(merged)
        assert not validator.is_valid({"format": "callcensus-recordings", "version": 1})
        self.assert_complains(self.merge(self.write("bad.json", json.dumps(merged))),
                              "recordings[1].calls[0].abi", "z80")
