#!/usr/bin/env python3
"""`callcensus diff`: exit statuses, formats, machines, standard input, and input that is neither profile nor
recording."""

import json
import pathlib
import random
import xml.etree.ElementTree

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


class Diff(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("old.json", profile(allow("read", "close")))
        self.write("new.json", profile(allow("read", "bpf", "write")))
        self.write("harmless.json", profile(allow("read", "close", "write")))
        self.write("less.json", profile(allow("read")))

    def diff(self, *arguments, **options):
        return self.callcensus("diff", *arguments, **options)

    def assert_trouble(self, done, *fragments):
        self.assertComplains(done, *fragments, status=TROUBLE)

    def changes(self, *arguments, **options):
        """{call: change} and the status."""
        done = self.diff("--format", "json", *arguments, **options)
        self.assertEqual(done.err, "", done)
        report = json.loads(done.out)
        return {call["call"]: call["change"] for call in report["calls"]}, done.status

    # ---- statuses

    def test_same_and_different(self):
        done = self.diff("old.json", "old.json")
        self.assertEqual((done.status, done.out, done.err),
                         (SAME, "old.json -> old.json: no difference in meaning\n", ""))
        done = self.diff("old.json", "new.json")
        self.assertEqual((done.status, done.err), (DIFFERENT, ""), done)
        self.assertTrue(done.out.startswith("old.json -> new.json: 2 newly allowed, 1 no longer allowed\n"),
                        done)
        self.assertIn("\n  + bpf (x86_64)\n      denied with ENOSYS -> allowed\n      dangerous", done.out)
        self.assertIn("\n  - close (x86_64)\n      allowed -> denied with ENOSYS\n", done.out)

    def test_fail_on(self):
        redecided = profile(allow("read", "close"), {"names": ["dup"], "action": "SCMP_ACT_KILL"})
        self.write("redecided.json", redecided)
        self.write("open.json", profile(allow("read", "close"), defaultAction="SCMP_ACT_ALLOW"))
        self.write("wider.json", profile(allow("read", "close"),
                                         architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
        self.write("flags.json", profile(allow("read", "close"), flags=["SECCOMP_FILTER_FLAG_LOG"]))
        for new, expected in (("new.json", {"any", "added", "removed", "risky"}),
                              ("harmless.json", {"any", "added"}),
                              ("less.json", {"any", "removed"}),
                              ("redecided.json", {"any"}),
                              ("open.json", {"any", "added", "risky"}),
                              ("wider.json", {"any", "added"}),
                              ("flags.json", {"any"}),
                              ("old.json", set())):
            for which in ("any", "added", "removed", "risky"):
                with self.subTest(new=new, which=which):
                    done = self.diff("--fail-on", which, "old.json", new)
                    self.assertEqual(done.status, DIFFERENT if which in expected else SAME, done)
                    self.assertIn(f"old.json -> {new}: ", done.out)
        self.assert_trouble(self.diff("--fail-on", "nothing", "old.json", "new.json"), "--fail-on", "risky")

    def test_trouble(self):
        self.assert_trouble(self.diff("old.json"), "NEW")
        self.assert_trouble(self.diff("old.json", "new.json", "third.json"), "third.json")
        self.assert_trouble(self.diff("old.json", "missing.json"), "missing.json", "No such file")
        self.assert_trouble(self.diff("old.json", "."), "directory")
        self.assert_trouble(self.diff("--format", "html", "old.json", "new.json"), "--format", "markdown")
        for name, content, place in (
                ("cut.json", '{"defaultAction": "SCMP_ACT_ERRNO",\n "syscalls": [', "cut.json:2:"),
                ("action.json", '{"defaultAction":\n  "SCMP_ACT_NO"}', "action.json:2:3: "),
                ("rule.json", profile(allow("read"), {"names": "write"}), "rule.json:"),
                ("recording.json", '{"format": "callcensus-recording",\n "version": 2}', "recording.json:")):
            self.write(name, content)
            for arguments in ((name, "old.json"), ("old.json", name)):
                with self.subTest(arguments):
                    done = self.diff(*arguments)
                    self.assert_trouble(done, place)
                    self.assertRegex(done.err, rf"^callcensus: {name}:\d+:\d+: ")

    def test_too_complicated_is_trouble_that_says_where(self):
        def equal(index, value):
            return {"index": index, "op": "SCMP_CMP_EQ", "value": value}
        rules = [allow("read", args=[equal(index, value), equal(index + 1, value)])
                 for value in range(0, 40, 2) for index in (0, 2, 4)]
        rules.append({"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{**equal(0, 1), "op": "SCMP_CMP_GE"}]})
        self.write("contradictory.json", profile(*rules))
        for options in ([], ["--conditions"]):
            with self.subTest(options):
                for arguments in (["contradictory.json", "old.json"], ["old.json", "contradictory.json"]):
                    self.assert_trouble(self.diff(*options, *arguments),
                                        "contradictory.json: has rules for read that are too complicated")

    def test_nowhere_to_write(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.diff("old.json", "new.json", stdout=full)
        self.assertEqual(done.status, TROUBLE, done)
        self.assertIn("No space left on device", done.err)

    # ---- input

    def test_standard_input(self):
        text = self.path("new.json").read_bytes()
        done = self.diff("old.json", "-", stdin=text)
        self.assertEqual(done.status, DIFFERENT, done)
        self.assertIn("old.json -> standard input: 2 newly allowed", done.out)
        self.assertEqual(self.diff("-", "new.json", stdin=text).status, SAME)
        self.assert_trouble(self.diff("-", "-", stdin=text), "standard input (-) can be read only once")
        self.assert_trouble(self.diff("-", "new.json", stdin=b"{"), "standard input:1:")

    def test_formats_that_have_readers(self):
        for name in ("docker", "spo", "minijail"):
            with self.subTest(name):
                done = self.callcensus("convert", "--lossy", "-q", "--to", name, "old.json", "-o", "other")
                self.assertSucceeded(done)
                changes, _ = self.changes("old.json", "other")
                self.assertEqual(changes, {})

    def test_names_of_files_do_not_reach_the_terminal_as_they_are(self):
        done = self.diff(self.write("a\x1b[31m\n.json", profile()), "old.json")
        self.assertEqual(done.status, DIFFERENT)
        self.assertNotIn("\x1b", done.out)
        self.assertIn("a\\x1b[31m\\x0a.json -> old.json", done.out.splitlines()[0])

    # ---- meaning

    def test_published_profiles_and_their_twins(self):
        for name, path in PUBLISHED.items():
            if not path.exists():
                continue
            with self.subTest(name):
                published = json.loads(path.read_text(encoding="utf-8"))
                self.write("twin.json", json.dumps(twin(published)))
                for arguments in ((), ("--conditions",), ("--caps", "none"), ("--arch", "arm64"),
                                  ("--caps", "default,SYS_ADMIN,BPF", "--arch", "s390x", "--kernel", "4.4")):
                    done = self.diff(*arguments, str(path), "twin.json")
                    self.assertEqual(done.status, SAME, (arguments, done))
                    self.assertIn(": no difference in meaning\n", done.out)
                # One name less, and it shows.
                for rule in published["syscalls"]:
                    rule["names"] = [name for name in rule["names"] if name != "read"]
                self.write("twin.json", json.dumps(twin(published)))
                self.assertEqual(self.changes(str(path), "twin.json"), ({"read": "denied"}, DIFFERENT))

    def test_where_it_is_used(self):
        self.write("old.json", profile())
        self.write("new.json", profile(allow("bpf", includes={"caps": ["CAP_SYS_ADMIN"]}),
                                       allow("close", excludes={"caps": ["CAP_CHOWN"]}),
                                       allow("dup", includes={"arches": ["arm64"]}),
                                       allow("read", includes={"minKernel": "5.10"})))
        for arguments, expected in (
                (("--kernel", "5.10"), {"read"}), (("--kernel", "5.9"), set()),
                (("--kernel", "5.9", "--caps", "none"), {"close"}),
                (("--kernel", "5.9", "--caps", "cap_sys_admin"), {"bpf", "close"}),
                (("--kernel", "5.9", "--caps", "default,SYS_ADMIN"), {"bpf"}),
                (("--kernel", "5.9", "--caps=SYS_ADMIN", "--caps=CHOWN"), {"bpf"}),
                (("--kernel", "5.9", "--arch", "arm64"), {"dup"}),
                (("--kernel", "5.9", "--arch", "aarch64"), {"dup"}),
                (("--conditions",), {"bpf", "close", "dup", "read"})):
            with self.subTest(arguments):
                changes, status = self.changes(*arguments, "old.json", "new.json")
                self.assertEqual(set(changes), expected)
                self.assertEqual(status, DIFFERENT if expected else SAME)
        self.assertIn("+ bpf (x86_64), with CAP_SYS_ADMIN\n",
                      self.diff("--conditions", "old.json", "new.json").out)
        self.assert_trouble(self.diff("--arch", "vax", "old.json", "new.json"), "--arch vax", "amd64")
        self.assert_trouble(self.diff("--kernel", "five", "old.json", "new.json"), "--kernel five", "5.10")

    # ---- formats

    def test_json(self):
        done = self.diff("--format", "json", "--fail-on", "risky", "old.json", "new.json")
        report = json.loads(done.out)
        self.assertEqual((report["before"], report["after"], report["same"]), ("old.json", "new.json", False))
        self.assertEqual([(call["call"], call["change"], call["counts"], call["risk"]["class"])
                          for call in report["calls"]],
                         [("bpf", "allowed", True, "dangerous"), ("write", "allowed", False, "ordinary"),
                          ("close", "denied", False, "ordinary")])

    def test_markdown(self):
        done = self.diff("--format", "markdown", "old.json", "new.json")
        self.assertEqual(done.status, DIFFERENT)
        self.assertTrue(done.out.startswith("### System calls: old.json → new.json\n\n**2 newly allowed, "))
        self.assertIn("\n| `close` (x86_64) | no longer allowed | allowed → denied with ENOSYS | "
                      "ordinary |  |\n", done.out)

    def test_sarif(self):
        log = json.loads(self.diff("--format", "sarif", "old.json", "new.json").out)
        self.assertEqual(log["version"], "2.1.0")
        self.assertEqual([(result["ruleId"], result["level"]) for result in log["runs"][0]["results"]],
                         [("diff-allowed", "error"), ("diff-allowed", "warning"), ("diff-denied", "note")])

    def test_junit_by_another_parser(self):
        hostile = self.write('a<&">\x01b.json', profile(allow("read", "close"), flags=["<x>"]))
        for old, new, which, tests, failures in (
                ("old.json", "old.json", "any", 1, 0), ("old.json", "new.json", "any", 3, 3),
                ("old.json", "new.json", "risky", 3, 1), ("old.json", hostile, "any", 1, 1),
                ("old.json", hostile, "risky", 1, 0)):
            with self.subTest(new=new, which=which):
                done = self.diff("--format", "junit", "--fail-on", which, old, new)
                suite = xml.etree.ElementTree.fromstring(done.out.encode()).find("testsuite")
                self.assertEqual((suite.get("tests"), suite.get("failures")), (str(tests), str(failures)))
                self.assertEqual(len(suite.findall("testcase")), tests)
                self.assertEqual(len(suite.findall("testcase/failure")), failures)
                self.assertEqual(done.status, DIFFERENT if failures else SAME)


class DiffOfRecordings(harness.Case):
    def record(self, name, *command):
        self.assertSucceeded(self.trace("-q", "--count", "-o", f"{name}.profile.json", "--recording",
                                        f"{name}.json", "--", *command))

    def test_what_is_newly_called_by_whom_and_how_often(self):
        self.record("old", *harness.python("pass"))
        self.record("new", *harness.python("import os\nfor _ in range(3): " + harness.MARK))
        done = self.callcensus("diff", "old.json", "new.json")
        self.assertEqual(done.status, DIFFERENT, done)
        executable = pathlib.Path(harness.PYTHON).resolve()
        self.assertIn(f"  + {harness.MARK_NAME} (x86_64)\n      made by {executable}, 3 times\n", done.out)
        done = self.callcensus("diff", "--fail-on", "risky", "old.json", "new.json")
        self.assertEqual(done.status, SAME, done)
        self.assertEqual(self.callcensus("diff", "new.json", "new.json").status, SAME)

    def test_a_recording_against_its_profile(self):
        self.record("one", "true")
        done = self.callcensus("diff", "--format", "json", "one.json", "one.profile.json")
        calls = json.loads(done.out)["calls"]
        # The profile holds more, for reasons of its own, and nothing less.
        self.assertTrue(calls)
        self.assertEqual({call["change"] for call in calls}, {"allowed"})
        done = self.callcensus("diff", "--fail-on", "added", "one.profile.json", "one.json")
        self.assertEqual(done.status, SAME, done)
        self.write("none.json", profile())
        done = self.callcensus("diff", "--format", "json", "none.json", "one.json")
        calls = {call["call"]: call for call in json.loads(done.out)["calls"]}
        self.assertIn("execve", calls)
        self.assertTrue(calls["execve"]["uses"][0]["exact"])

    def test_conditions_are_of_profiles(self):
        self.record("one", "true")
        done = self.callcensus("diff", "--conditions", "one.json", "one.profile.json")
        self.assertComplains(done, "--conditions", "a recording has no conditions", status=TROUBLE)


if __name__ == "__main__":
    harness.main()
