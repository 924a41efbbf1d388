"""`callcensus diff`: exit statuses, formats, machines, standard input, and input that is neither profile nor
recording."""

import json
import pathlib
import random
import re
import xml.etree.ElementTree

import pytest

import harness
from profiles import PUBLISHED, allow, profile

SAME, DIFFERENT, TROUBLE = 0, 1, 2


def shuffled(rules, dice):
    """In another order that means the same: of two that contradict each other the first stays the first.
    (Podman allows setns to all, and then denies it without CAP_SYS_ADMIN, which has no effect.)"""
    def names(rule):
        return {rule["name"]} if "name" in rule else set(rule["names"])
    waiting_for = [{earlier for earlier in range(at) if rules[earlier]["action"] != rule["action"]
                    and names(rules[earlier]) & names(rule)} for at, rule in enumerate(rules)]
    waiting, order = set(range(len(rules))), []
    while waiting:
        order.append(dice.choice(sorted(at for at in waiting if not waiting_for[at] & waiting)))
        waiting.remove(order[-1])
    return [rules[at] for at in order]


def twin(published):
    """The same profile as somebody else would have written it: rules in another order and split, names in
    either spelling and repeated, with comments."""
    dice = random.Random(4)
    rules = []
    for rule in published["syscalls"]:
        names = rule.get("names") or [rule["name"]]
        rest = {key: value for key, value in rule.items() if key not in ("name", "names", "comment")}
        dice.shuffle(names)
        middle = len(names) // 2
        rules.append({"names": names[:middle + 1], **rest, "comment": "a twin"})
        rules += [{"name": name, **rest} for name in names[middle:]]
    return {"syscalls": shuffled(rules, dice),
            **{key: value for key, value in published.items() if key != "syscalls"}}

HOSTILE = 'a<&">\x01b.json'  # a name of a file



class TestDiff(harness.Case):
    def set_up(self):
        super().set_up()
        self.write("old.json", profile(allow("read", "close")))
        self.write("new.json", profile(allow("read", "bpf", "write")))
        self.write("harmless.json", profile(allow("read", "close", "write")))
        self.write("less.json", profile(allow("read")))

    def diff(self, *arguments, **options):
        return self.callcensus("diff", *arguments, **options)

    def assert_trouble(self, done, *fragments):
        self.assert_complains(done, *fragments, status=TROUBLE)

    def changes(self, *arguments, **options):
        """{call: change} and the status."""
        done = self.diff("--format", "json", *arguments, **options)
        assert done.err == ""
        report = json.loads(done.out)
        return {call["call"]: call["change"] for call in report["calls"]}, done.status

    # ---- statuses

    def test_same_and_different(self):
        done = self.diff("old.json", "old.json")
        assert (done.status, done.out, done.err) == (SAME, "old.json -> old.json: no difference in meaning\n", "")
        done = self.diff("old.json", "new.json")
        assert (done.status, done.err) == (DIFFERENT, "")
        assert done.out.startswith("old.json -> new.json: 2 newly allowed, 1 no longer allowed\n")
        assert "\n  + bpf (x86_64)\n      denied with ENOSYS -> allowed\n      dangerous" in done.out
        assert "\n  - close (x86_64)\n      allowed -> denied with ENOSYS\n" in done.out

    @pytest.mark.parametrize("new, expected", [
        ("new.json", {"any", "added", "removed", "risky"}),
        ("harmless.json", {"any", "added"}),
        ("less.json", {"any", "removed"}),
        ("redecided.json", {"any"}),
        ("open.json", {"any", "added", "risky"}),
        ("wider.json", {"any", "added"}),
        ("flags.json", {"any"}),
        ("old.json", set())])
    @pytest.mark.parametrize("which", ["any", "added", "removed", "risky"])
    def test_fail_on(self, new, expected, which):
        redecided = profile(allow("read", "close"), {"names": ["dup"], "action": "SCMP_ACT_KILL"})
        self.write("redecided.json", redecided)
        self.write("open.json", profile(allow("read", "close"), defaultAction="SCMP_ACT_ALLOW"))
        self.write("wider.json", profile(allow("read", "close"),
                                         architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
        self.write("flags.json", profile(allow("read", "close"), flags=["SECCOMP_FILTER_FLAG_LOG"]))
        done = self.diff("--fail-on", which, "old.json", new)
        assert done.status == (DIFFERENT if which in expected else SAME)
        assert f"old.json -> {new}: " in done.out

    def test_fail_on_something_else(self):
        self.assert_trouble(self.diff("--fail-on", "nothing", "old.json", "new.json"), "--fail-on", "risky")

    def test_trouble(self):
        self.assert_trouble(self.diff("old.json"), "NEW")
        self.assert_trouble(self.diff("old.json", "new.json", "third.json"), "third.json")
        self.assert_trouble(self.diff("old.json", "missing.json"), "missing.json", "No such file")
        self.assert_trouble(self.diff("old.json", "."), "directory")
        self.assert_trouble(self.diff("--format", "html", "old.json", "new.json"), "--format", "markdown")

    @pytest.mark.parametrize("name, content, place", [
        ("cut.json", '{"defaultAction": "SCMP_ACT_ERRNO",\n "syscalls": [', "cut.json:2:"),
        ("action.json", '{"defaultAction":\n  "SCMP_ACT_NO"}', "action.json:2:3: "),
        ("rule.json", profile(allow("read"), {"names": "write"}), "rule.json:"),
        ("recording.json", '{"format": "callcensus-recording",\n "version": 2}', "recording.json:")],
        ids=["cut", "action", "rule", "recording"])
    @pytest.mark.parametrize("name_comes_first", [True, False])
    def test_trouble_in_a_file(self, name, content, place, name_comes_first):
        arguments = (name, "old.json") if name_comes_first else ("old.json", name)
        self.write(name, content)
        done = self.diff(*arguments)
        self.assert_trouble(done, place)
        assert re.search(rf"^callcensus: {name}:\d+:\d+: ", done.err)

    @pytest.mark.parametrize("options", [[], ["--conditions"]])
    def test_too_complicated_is_trouble_that_says_where(self, options):
        def equal(index, value):
            return {"index": index, "op": "SCMP_CMP_EQ", "value": value}
        rules = [allow("read", args=[equal(index, value), equal(index + 1, value)])
                 for value in range(0, 40, 2) for index in (0, 2, 4)]
        rules.append({"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{**equal(0, 1), "op": "SCMP_CMP_GE"}]})
        self.write("contradictory.json", profile(*rules))
        for arguments in (["contradictory.json", "old.json"], ["old.json", "contradictory.json"]):
            self.assert_trouble(self.diff(*options, *arguments),
                                "contradictory.json: has rules for read that are too complicated")

    def test_nowhere_to_write(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.diff("old.json", "new.json", stdout=full)
        assert done.status == TROUBLE
        assert "No space left on device" in done.err

    # ---- input

    def test_standard_input(self):
        text = self.path("new.json").read_bytes()
        done = self.diff("old.json", "-", stdin=text)
        assert done.status == DIFFERENT
        assert "old.json -> standard input: 2 newly allowed" in done.out
        assert self.diff("-", "new.json", stdin=text).status == SAME
        self.assert_trouble(self.diff("-", "-", stdin=text), "standard input (-) can be read only once")
        self.assert_trouble(self.diff("-", "new.json", stdin=b"{"), "standard input:1:")

    @pytest.mark.parametrize("name", ["docker", "spo", "minijail"])
    def test_formats_that_have_readers(self, name):
        done = self.callcensus("convert", "--lossy", "-q", "--to", name, "old.json", "-o", "other")
        self.assert_succeeded(done)
        changes, _ = self.changes("old.json", "other")
        assert changes == {}

    def test_names_of_files_do_not_reach_the_terminal_as_they_are(self):
        done = self.diff(self.write("a\x1b[31m\n.json", profile()), "old.json")
        assert done.status == DIFFERENT
        assert "\x1b" not in done.out
        assert "a\\x1b[31m\\x0a.json -> old.json" in done.out.splitlines()[0]

    # ---- meaning

    @pytest.mark.parametrize("name, path", PUBLISHED.items())
    def test_published_profiles_and_their_twins(self, name, path):
        if not path.exists():
            pytest.skip(f"not there: {path}")
        published = json.loads(path.read_text(encoding="utf-8"))
        self.write("twin.json", json.dumps(twin(published)))
        for arguments in ((), ("--conditions",), ("--caps", "none"), ("--arch", "arm64"),
                          ("--caps", "default,SYS_ADMIN,BPF", "--arch", "s390x", "--kernel", "4.4")):
            done = self.diff(*arguments, str(path), "twin.json")
            assert done.status == SAME, ((arguments, done))
            assert ": no difference in meaning\n" in done.out
        # One name less, and it shows.
        for rule in published["syscalls"]:
            rule["names"] = [name for name in rule["names"] if name != "read"]
        self.write("twin.json", json.dumps(twin(published)))
        assert self.changes(str(path), "twin.json") == ({"read": "denied"}, DIFFERENT)

    @pytest.mark.parametrize("arguments, expected", [
        (("--kernel", "5.10"), {"read"}), (("--kernel", "5.9"), set()),
        (("--kernel", "5.9", "--caps", "none"), {"close"}),
        (("--kernel", "5.9", "--caps", "cap_sys_admin"), {"bpf", "close"}),
        (("--kernel", "5.9", "--caps", "default,SYS_ADMIN"), {"bpf"}),
        (("--kernel", "5.9", "--caps=SYS_ADMIN", "--caps=CHOWN"), {"bpf"}),
        (("--kernel", "5.9", "--arch", "arm64"), {"dup"}),
        (("--kernel", "5.9", "--arch", "aarch64"), {"dup"}),
        (("--conditions",), {"bpf", "close", "dup", "read"})])
    def test_where_it_is_used(self, arguments, expected):
        self.write("old.json", profile())
        self.write("new.json", profile(allow("bpf", includes={"caps": ["CAP_SYS_ADMIN"]}),
                                       allow("close", excludes={"caps": ["CAP_CHOWN"]}),
                                       allow("dup", includes={"arches": ["arm64"]}),
                                       allow("read", includes={"minKernel": "5.10"})))
        changes, status = self.changes(*arguments, "old.json", "new.json")
        assert set(changes) == expected
        assert status == (DIFFERENT if expected else SAME)

    def test_conditions_are_told(self):
        self.write("old.json", profile())
        self.write("new.json", profile(allow("bpf", includes={"caps": ["CAP_SYS_ADMIN"]}),
                                       allow("close", excludes={"caps": ["CAP_CHOWN"]}),
                                       allow("dup", includes={"arches": ["arm64"]}),
                                       allow("read", includes={"minKernel": "5.10"})))
        assert "+ bpf (x86_64), with CAP_SYS_ADMIN\n" in self.diff("--conditions", "old.json", "new.json").out
        self.assert_trouble(self.diff("--arch", "vax", "old.json", "new.json"), "--arch vax", "amd64")
        self.assert_trouble(self.diff("--kernel", "five", "old.json", "new.json"), "--kernel five", "5.10")

    # ---- formats

    def test_json(self):
        done = self.diff("--format", "json", "--fail-on", "risky", "old.json", "new.json")
        report = json.loads(done.out)
        assert (report["before"], report["after"], report["same"]) == ("old.json", "new.json", False)
        assert ([(call["call"], call["change"], call["counts"], call["risk"]["class"])
                 for call in report["calls"]] ==
                [("bpf", "allowed", True, "dangerous"), ("write", "allowed", False, "ordinary"),
                 ("close", "denied", False, "ordinary")])

    def test_markdown(self):
        done = self.diff("--format", "markdown", "old.json", "new.json")
        assert done.status == DIFFERENT
        assert done.out.startswith("### System calls: old.json → new.json\n\n**2 newly allowed, ")
        assert ("\n| `close` (x86_64) | no longer allowed | allowed → denied with ENOSYS | "
               "ordinary |  |\n") in done.out

    def test_sarif(self):
        log = json.loads(self.diff("--format", "sarif", "old.json", "new.json").out)
        assert log["version"] == "2.1.0"
        assert ([(result["ruleId"], result["level"]) for result in log["runs"][0]["results"]] ==
                [("diff-allowed", "error"), ("diff-allowed", "warning"), ("diff-denied", "note")])

    @pytest.mark.parametrize("old, new, which, tests, failures", [
        ("old.json", "old.json", "any", 1, 0), ("old.json", "new.json", "any", 3, 3),
        ("old.json", "new.json", "risky", 3, 1), ("old.json", HOSTILE, "any", 1, 1),
        ("old.json", HOSTILE, "risky", 1, 0)])
    def test_junit_by_another_parser(self, old, new, which, tests, failures):
        self.write(HOSTILE, profile(allow("read", "close"), flags=["<x>"]))
        done = self.diff("--format", "junit", "--fail-on", which, old, new)
        suite = xml.etree.ElementTree.fromstring(done.out.encode()).find("testsuite")
        assert (suite.get("tests"), suite.get("failures")) == (str(tests), str(failures))
        assert len(suite.findall("testcase")) == tests
        assert len(suite.findall("testcase/failure")) == failures
        assert done.status == (DIFFERENT if failures else SAME)


class TestDiffOfRecordings(harness.Case):
    def record(self, name, *command):
        self.assert_succeeded(self.trace("-q", "--count", "-o", f"{name}.profile.json", "--recording",
                                        f"{name}.json", "--", *command))

    def test_what_is_newly_called_by_whom_and_how_often(self):
        self.record("old", *harness.python("pass"))
        self.record("new", *harness.python("import os\nfor _ in range(3): " + harness.MARK))
        done = self.callcensus("diff", "old.json", "new.json")
        assert done.status == DIFFERENT
        executable = pathlib.Path(harness.PYTHON).resolve()
        assert f"  + {harness.MARK_NAME} (x86_64)\n      made by {executable}, 3 times\n" in done.out
        done = self.callcensus("diff", "--fail-on", "risky", "old.json", "new.json")
        assert done.status == SAME
        assert self.callcensus("diff", "new.json", "new.json").status == SAME

    def test_a_recording_against_its_profile(self):
        self.record("one", "true")
        done = self.callcensus("diff", "--format", "json", "one.json", "one.profile.json")
        calls = json.loads(done.out)["calls"]
        # The profile holds more, for reasons of its own, and nothing less.
        assert calls
        assert {call["change"] for call in calls} == {"allowed"}
        done = self.callcensus("diff", "--fail-on", "added", "one.profile.json", "one.json")
        assert done.status == SAME
        self.write("none.json", profile())
        done = self.callcensus("diff", "--format", "json", "none.json", "one.json")
        calls = {call["call"]: call for call in json.loads(done.out)["calls"]}
        assert "execve" in calls
        assert calls["execve"]["uses"][0]["exact"]

    def test_conditions_are_of_profiles(self):
        self.record("one", "true")
        done = self.callcensus("diff", "--conditions", "one.json", "one.profile.json")
        self.assert_complains(done, "--conditions", "a recording has no conditions", status=TROUBLE)
