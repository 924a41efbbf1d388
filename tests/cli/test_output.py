#!/usr/bin/env python3
"""What is written: the profile, the recording, the summary; and what the options of the policy change."""

import copy
import json
import os
import pathlib
import signal
import unittest

import harness
from harness import MARK, MARK_NAME, python

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = harness.REPOSITORY / "docs" / "recording.schema.json"

# Makes calls that no kernel has, past libc.
UNNAMED = "import ctypes\nsyscall = ctypes.CDLL(None).syscall\n" \
    "for _ in range(3): syscall(5000)\nfor _ in range(4): syscall(-1)\n"

SOME_CALLS = f"import os, signal\n{MARK}\nos.getsid(0)\nos.umask(0o22)\n" \
    "if os.fork() == 0: os._exit(0)\nos.wait()\nprint('done')\n"


def rule_about(profile, text):
    """The only rule whose comment holds that text."""
    found = [rule for rule in profile["syscalls"] if text in rule["comment"]]
    assert len(found) == 1, (text, [rule["comment"] for rule in profile["syscalls"]])
    return found[0]


class Profiles(harness.Case):
    def traced(self, *options, target=("true",)):
        done = self.trace("-q", "-o", "p.json", *options, "--", *target)
        self.assertSucceeded(done)
        self.assertEqual(done.err, "")
        return self.json("p.json")

    def test_shape(self):
        profile = self.traced()
        self.assertEqual(list(profile), ["defaultAction", "defaultErrnoRet", "architectures", "syscalls"])
        self.assertEqual((profile["defaultAction"], profile["defaultErrnoRet"]), ("SCMP_ACT_ERRNO", 38))
        for rule in profile["syscalls"]:
            self.assertEqual(list(rule), ["names", "action", "comment"])
            self.assertEqual(rule["action"], "SCMP_ACT_ALLOW")
            self.assertEqual(rule["names"], sorted(set(rule["names"])))
            self.assertNotEqual(rule["names"], [])
        names = harness.all_names(profile)
        self.assertEqual(len(names), len(set(names)), "a call stands in two rules")
        text = self.path("p.json").read_text(encoding="utf-8")
        self.assertTrue(text.endswith("}\n"))

    @unittest.skipUnless(os.uname().machine == "x86_64", "this machine is no x86_64")
    def test_architecture(self):
        self.assertEqual(self.traced()["architectures"], ["SCMP_ARCH_X86_64"])

    def test_observed_is_what_was_recorded(self):
        target = python(SOME_CALLS)
        profile = self.traced("--recording", "r.json", target=target)
        recorded = harness.recorded(self.json("r.json"))
        self.assertEqual(harness.observed(profile), set(recorded))
        self.assertIn(MARK_NAME, recorded)
        self.assertIn("getsid", recorded)
        self.assertEqual(profile["syscalls"][0]["comment"],
                         f"observed while tracing {os.path.basename(harness.PYTHON)}")

    def test_arguments_stay_out_of_the_profile(self):
        # They may be secrets, and profiles are published.
        self.traced("--recording", "r.json", target=["sh", "-c", ": --password hunter2"])
        self.assertNotIn("hunter2", self.path("p.json").read_text(encoding="utf-8"))
        self.assertIn(": --password hunter2", self.json("r.json")["command"])

    def test_observed_only(self):
        profile = self.traced("--observed-only", "--recording", "r.json", target=python(SOME_CALLS))
        self.assertEqual(len(profile["syscalls"]), 1)
        self.assertEqual(harness.observed(profile), set(harness.recorded(self.json("r.json"))))
        self.assertEqual(profile["defaultErrnoRet"], 38)

    def test_each_switch_removes_its_rule(self):
        self.traced("--recording", "r.json", target=python(SOME_CALLS))

        def derived(*options):
            self.assertSucceeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json", *options))
            return self.json("d.json")
        full = derived()
        self.assertEqual(len(full["syscalls"]), 4)
        for option, text in ((["--runtime", "none"], "needed between loading this filter"),
                             (["--no-unseen"], "made unseen"), (["--no-vdso"], "answered by the vDSO")):
            with self.subTest(option=option):
                expected = copy.deepcopy(full)
                removed = rule_about(full, text)
                expected["syscalls"].remove(removed)
                got = derived(*option)
                # A name stands in the first rule that has a reason for it; a later one may now have it.
                again = [name for name in removed["names"] if name in harness.all_names(got)]
                for rule, wanted in zip(got["syscalls"], expected["syscalls"]):
                    self.assertEqual(rule["comment"], wanted["comment"])
                    self.assertEqual(set(rule["names"]) - set(again), set(wanted["names"]))
                self.assertEqual(len(got["syscalls"]), len(expected["syscalls"]))
                self.assertEqual(got["syscalls"][0], full["syscalls"][0])
        self.assertEqual(derived("--runtime", "none", "--no-unseen", "--no-vdso"), derived("--observed-only"))

    def test_families(self):
        done = self.callcensus("trace", "-q", "--recording", "r.json", "--families", "-o", "traced.json", "--",
                               *python("import os; os.access('/', os.F_OK); os.mkdir('d'); os.rmdir('d')"))
        self.assertSucceeded(done)
        self.assertSucceeded(self.callcensus("derive", "-q", "--families", "r.json", "-o", "d.json"))
        profile = self.json("d.json")
        self.assertEqual(profile, self.json("traced.json"))
        recorded = harness.recorded(self.json("r.json"))
        self.assertEqual(rule_about(profile, "same job as access: ")["names"], ["faccessat", "faccessat2"])
        self.assertTrue(profile["syscalls"][1]["comment"].startswith("same job as "))
        self.assertEqual(harness.observed(profile), set(recorded))
        added = {name for rule in profile["syscalls"] if rule["comment"].startswith("same job as ")
                 for name in rule["names"]}
        self.assertLessEqual({"faccessat2", "mkdirat", "unlinkat"}, added)
        self.assertFalse(added & set(recorded))
        self.assertFalse(added & {"mount", "ptrace", "bpf", "unshare"})
        self.assertSucceeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json"))
        self.assertEqual([rule for rule in self.json("d.json")["syscalls"] if "same job" in rule["comment"]], [])

    def test_families_are_more_than_what_was_observed(self):
        for arguments in (("trace", "--families", "--observed-only", "--", "touch", "ran"),
                          ("derive", "--observed-only", "--families", "r.json")):
            self.assertComplains(self.callcensus(*arguments), "--families --observed-only: ")
        self.assertFalse(self.path("ran").exists())

    def test_runtimes(self):
        self.traced("--recording", "r.json")

        def names(*options):
            self.assertSucceeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json", "--no-unseen",
                                                 "--no-vdso", *options))
            return set(harness.all_names(self.json("d.json")))
        both, runc, crun, none = (names("--runtime", name) for name in ("any", "runc", "crun", "none"))
        self.assertEqual(both, names())
        self.assertEqual(both, runc | crun)
        self.assertLess(none, runc)
        self.assertLess(none, crun)
        self.assertNotEqual(runc, crun)
        for runtime in ("any", "runc", "crun"):
            with_exec, without = names("--runtime", runtime), names("--runtime", runtime, "--no-exec")
            self.assertLessEqual(without, with_exec)
            self.assertLess(names("--runtime", runtime, "--no-new-privileges"), with_exec)
        self.assertLess(names("--runtime", "crun", "--no-exec"), crun)
        # Where a denial kills, calls count that otherwise may fail.
        self.assertLess(both, names("--default-action", "kill_process"))

    def test_comments_tell_the_runtime_and_exec(self):
        self.traced("--recording", "r.json")
        for options, inside, outside in ((["--runtime", "runc"], ["runc", "exec"], ["crun"]),
                                         (["--runtime", "crun"], ["crun", "exec"], ["runc"]),
                                         (["--no-exec"], ["runc", "crun"], ["for exec into", "privileges"]),
                                         (["--no-new-privileges"], ["only with no_new_privileges"], [])):
            self.assertSucceeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json", *options))
            comment = rule_about(self.json("d.json"), "needed between loading this filter")["comment"]
            for word in inside:
                self.assertIn(word, comment)
            for word in outside:
                self.assertNotIn(word, comment)

    def test_default_action_and_errno(self):
        for options, action, errno in (
                ([], "SCMP_ACT_ERRNO", 38), (["--default-errno", "EPERM"], "SCMP_ACT_ERRNO", 1),
                (["--default-errno=13"], "SCMP_ACT_ERRNO", 13),
                (["--default-action=errno"], "SCMP_ACT_ERRNO", 38),
                (["--default-action", "SCMP_ACT_KILL_PROCESS"], "SCMP_ACT_KILL_PROCESS", None),
                (["--default-action", "trap"], "SCMP_ACT_TRAP", None),
                (["--observed-only", "--default-errno", "EACCES"], "SCMP_ACT_ERRNO", 13)):
            with self.subTest(options=options):
                profile = self.traced(*options)
                self.assertEqual((profile["defaultAction"], profile.get("defaultErrnoRet")), (action, errno))

    def test_baseline(self):
        baseline = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
                    "architectures": ["SCMP_ARCH_X86_64"],
                    "syscalls": [{"names": ["execve", "mmap"], "action": "SCMP_ACT_ALLOW", "comment": "ours"},
                                 {"names": ["sched_get_priority_max"], "action": "SCMP_ACT_ERRNO",
                                  "errnoRet": 1},
                                 {"name": "brk", "action": "SCMP_ACT_ALLOW"}],
                    "x-unknown": {"kept": [1, 2.5, None]}}
        self.write("base.json", json.dumps(baseline))
        profile = self.traced("--baseline", "base.json", "--recording", "r.json", target=python(SOME_CALLS))
        self.assertEqual(profile["syscalls"][:3], baseline["syscalls"])
        self.assertEqual(profile["x-unknown"], baseline["x-unknown"])
        self.assertEqual(profile["defaultErrnoRet"], 1)
        names = [name for rule in profile["syscalls"][3:] for name in rule["names"]]
        for name in ("execve", "mmap", "brk", MARK_NAME):
            self.assertNotIn(name, names)
        observed = set(profile["syscalls"][3]["names"])
        self.assertEqual(observed,
                         set(harness.recorded(self.json("r.json"))) - {"execve", "mmap", "brk", MARK_NAME})
        # The profile again as its own baseline adds nothing.
        os.rename(self.path("p.json"), self.path("again.json"))
        again = self.traced("--baseline", "again.json", target=python(SOME_CALLS))
        self.assertEqual(again, profile)

    def test_output_may_be_its_own_baseline(self):
        self.traced()
        before = set(harness.all_names(self.json("p.json")))
        after = set(harness.all_names(self.traced("--baseline", "p.json", target=python(SOME_CALLS))))
        self.assertLess(before, after)
        self.assertIn(MARK_NAME, after)

    def test_the_same_command_gives_the_same_profile(self):
        for target in (["true"], ["sh", "-c", "true; ls / >/dev/null; echo $(echo x)"], python(SOME_CALLS)):
            texts = set()
            for _ in range(3):
                self.traced(target=target)
                texts.add(self.path("p.json").read_bytes())
            self.assertEqual(len(texts), 1)

    def test_32_bit_programs(self):
        beside_the_program = pathlib.Path(harness.PROGRAM).parent / "tests" / "tracees"
        program = pathlib.Path(os.environ.get("CALLCENSUS_TRACEES", beside_the_program)) / "tracee_i386"
        if not program.exists():
            self.skipTest("tracee_i386 is not built")
        profile = self.traced("--recording", "r.json", target=[str(program)])
        self.assertEqual(profile["architectures"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
        self.assertEqual({call["abi"] for call in self.json("r.json")["calls"]}, {"x86_64", "i386"})
        self.assertIn("sigreturn", harness.all_names(profile))
        done = self.trace("--json", "-o", "p.json", str(program))
        self.assertEqual(json.loads(done.err)["abis"], ["x86_64", "i386"])


class ProfilesAsNobody(harness.AsNobody, Profiles):
    pass


class StandardOutput(harness.Case):
    def test_profile_comes_after_what_the_target_wrote(self):
        done = self.trace("-q", "-o", "-", "--", "sh", "-c",
                          "echo first; echo errors >&2; echo second; exit 3")
        self.assertEqual((done.status, done.err), (3, "errors\n"))
        self.assertTrue(done.out.startswith("first\nsecond\n{"))
        profile = json.loads(done.out.partition("\nsecond\n")[2])
        self.assertIn("execve", harness.observed(profile))
        self.assertEqual(self.files(), [])

    def test_summary_names_it(self):
        done = self.trace("-o", "-", "--", "true")
        self.assertIn("profile written to standard output", done.err)
        self.assertSucceeded(done)
        json.loads(done.out)

    def test_recording_can_be_piped_into_derive(self):
        self.assertSucceeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        text = self.path("r.json").read_bytes()
        done = self.callcensus("derive", "-q", "-o", "-", "-", stdin=text)
        self.assertSucceeded(done)
        self.assertEqual(done.out, self.path("p.json").read_text(encoding="utf-8"))

    def test_also_when_the_target_dies_by_a_signal(self):
        done = self.trace("-q", "-o", "-", "--", "sh", "-c", "echo last words; kill -KILL $$")
        self.assertEqual(done.status, -signal.SIGKILL)
        self.assertIn("execve", harness.observed(json.loads(done.out.partition("last words\n")[2])))

    def test_large_profile_to_a_slow_reader(self):
        # More than a pipe holds, so that it is written in parts.
        baseline = {"defaultAction": "SCMP_ACT_ERRNO", "comment": "x" * 300_000, "syscalls": []}
        self.write("base.json", json.dumps(baseline))
        done = self.trace("-q", "-o", "-", "--baseline", "base.json", "--", "true")
        self.assertEqual(json.loads(done.out)["comment"], baseline["comment"])


class Deriving(harness.Case):
    def recorded(self, name, *target):
        self.assertSucceeded(self.trace("-q", "-o", f"{name}.profile", "--recording", name, "--", *target))

    def derived(self, *arguments):
        done = self.callcensus("derive", "-o", "d.json", *arguments)
        self.assertSucceeded(done)
        return self.json("d.json"), done

    def test_equals_what_trace_wrote(self):
        self.recorded("r.json", *python(SOME_CALLS))
        self.derived("-q", "r.json")
        self.assertEqual(self.path("d.json").read_bytes(), self.path("r.json.profile").read_bytes())
        for options in (["--observed-only"], ["--runtime", "crun", "--no-exec"], ["--default-action", "kill"],
                        ["--no-vdso", "--default-errno", "EPERM"]):
            self.assertSucceeded(self.trace("-q", "-o", "t.json", *options, "--", *python(SOME_CALLS)))
            self.derived("-q", *options, "r.json")
            self.assertEqual(self.path("d.json").read_bytes(), self.path("t.json").read_bytes())

    def test_two_recordings(self):
        self.recorded("a.json", "true")
        self.recorded("b.json", *python(SOME_CALLS))
        self.recorded("c.json", "ls", "-l", "/")
        both, _ = self.derived("-q", "a.json", "b.json", "c.json")
        parts = [harness.observed(self.json(f"{name}.json.profile")) for name in "abc"]
        self.assertEqual(harness.observed(both), set().union(*parts))
        self.assertEqual(both["syscalls"][0]["comment"],
                         "observed while tracing ls, " + os.path.basename(harness.PYTHON) + ", true")
        self.assertEqual(self.derived("-q", "c.json", "a.json", "b.json", "b.json")[0], both)

    def test_default_output(self):
        self.recorded("r.json", "true")
        self.assertSucceeded(self.callcensus("derive", "r.json"))
        self.assertEqual(self.path("seccomp.json").read_bytes(), self.path("r.json.profile").read_bytes())

    def test_what_it_says(self):
        self.recorded("r.json", *python(UNNAMED))
        _, done = self.derived("r.json")
        self.assertEqual(done.out, "")
        self.assertRegex(done.err, r"(?m)^callcensus: warning: call 5000 of \w+ \(3 times\) has no name")
        self.assertRegex(done.err, r"(?m)^callcensus: warning: call -1 of \w+ \(4 times\) has no name")
        self.assertRegex(done.err, r"(?m)^callcensus: profile written to d.json: \d+ calls observed$")
        self.assertEqual(self.derived("-q", "r.json")[1].err, "")

    def test_incomplete_recording(self):
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        recording["complete"], recording["gaps"] = False, ["somebody tore a page out"]
        self.write("torn.json", json.dumps(recording))
        profile, done = self.derived("torn.json")
        self.assertIn("callcensus: warning: torn.json is not complete: somebody tore a page out\n", done.err)
        self.assertEqual(profile, self.json("r.json.profile"))
        self.assertEqual(self.derived("-q", "torn.json")[1].err, "")

    def test_no_calls_at_all(self):
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        recording["calls"] = []
        self.write("empty.json", json.dumps(recording))
        profile, _ = self.derived("--observed-only", "empty.json")
        self.assertEqual(profile["syscalls"], [])

    def test_recording_of_another_architecture(self):
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        for call in recording["calls"]:
            call["abi"] = "aarch64"
            del call["name"]
        recording["calls"] = [dict(recording["calls"][0], number=63), dict(recording["calls"][0], number=221)]
        self.write("arm.json", json.dumps(recording))
        profile, _ = self.derived("-q", "arm.json")
        self.assertEqual(profile["architectures"], ["SCMP_ARCH_AARCH64"])
        self.assertEqual(harness.observed(profile), {"read", "execve"})

    def test_names_in_a_recording_do_not_count(self):
        # The numbers do: a name is there for people to read.
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        for call in recording["calls"]:
            call["name"] = "reboot"
        self.write("renamed.json", json.dumps(recording))
        self.assertEqual(self.derived("-q", "renamed.json")[0], self.json("r.json.profile"))


class DerivingAsNobody(harness.AsNobody, Deriving):
    pass


class Recordings(harness.Case):
    def recording(self, *target, options=()):
        done = self.trace("-q", "-o", "p.json", "--recording", "r.json", *options, "--", *target)
        return self.json("r.json"), done

    def assert_consistent(self, recording):
        """What holds for every recording and no schema can say."""
        executables, processes = len(recording["executables"]), recording["processes"]
        self.assertEqual(recording["complete"], recording["gaps"] == [])
        for index, process in enumerate(processes):
            if process["parent"] is None:
                self.assertEqual(index, 0)
            else:
                self.assertLess(process["parent"], index)
            self.assertTrue(process["executables"])
            self.assertTrue(all(executable < executables for executable in process["executables"]))
            self.assertLessEqual(0, process["started_ms"])
            self.assertLessEqual(process["started_ms"], recording["duration_ms"])
        keys = [(call["abi"], call["number"]) for call in recording["calls"]]
        self.assertEqual(len(keys), len(set(keys)))
        for call in recording["calls"]:
            self.assertEqual(sum(call["returned"].values()) + call["unfinished"], call["count"])
            self.assertEqual(sum(share["count"] for share in call["executables"]), call["count"])
            self.assertLess(call["first"]["process"], len(processes))
            self.assertIn(call["first"]["executable"], [share["executable"] for share in call["executables"]])
        self.assertEqual(recording.get("exit_code"), processes[0].get("exit_code"))
        self.assertEqual(recording.get("signal"), processes[0].get("signal"))

    def test_what_is_in_it(self):
        recording, done = self.recording("sh", "-c", "true; ls /nonexistent; exit 5")
        self.assertEqual(done.status, 5)
        self.assert_consistent(recording)
        self.assertEqual(recording["format"], "callcensus-recording")
        self.assertEqual(recording["version"], 1)
        self.assertRegex(recording["generator"], r"^callcensus \d+\.\d+\.\d+$")
        self.assertEqual((recording["engine"], recording["counts"]), ("adaptive", "exact"))
        self.assertEqual(recording["host"], {"kernel": os.uname().release, "machine": os.uname().machine})
        self.assertEqual(recording["command"], ["sh", "-c", "true; ls /nonexistent; exit 5"])
        self.assertRegex(recording["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual((recording["complete"], recording["exit_code"]), (True, 5))
        self.assertNotIn("signal", recording)
        names = [os.path.basename(path) for path in recording["executables"]]
        self.assertEqual(names, [os.path.basename(os.path.realpath("/bin/sh")), "ls"])
        self.assertEqual([process["executables"] for process in recording["processes"]], [[0], [0, 1]])
        self.assertEqual([process["parent"] for process in recording["processes"]], [None, 0])
        self.assertEqual(harness.recorded(recording)["execve"], 2)

    def test_death_by_a_signal(self):
        recording, _ = self.recording("sh", "-c", "ulimit -c 0; kill -SEGV $$")
        self.assertEqual(recording["signal"], signal.SIGSEGV)
        self.assertNotIn("exit_code", recording)
        self.assert_consistent(recording)

    def recordings_of_all_kinds(self):
        yield "simple", self.recording("true")[0]
        yield "failing", self.recording("sh", "-c", "ls /nonexistent; exit 5")[0]
        yield "killed", self.recording("sh", "-c", "kill -KILL $$")[0]
        yield "several processes", self.recording("sh", "-c", "(ls | cat; exec true) & (exit 3); wait")[0]
        yield "threads", self.recording(*python(
            "import threading\nfor _ in range(5): threading.Thread(target=lambda: None).start()\n"))[0]
        yield "unnamed calls", self.recording(*python(UNNAMED))[0]
        yield "odd arguments", self.recording("printf", "%s", "a\nb\"\\\u2028ü\x7f", b"\xff\xfe")[0]
        yield "let go", self.recording("sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 2",
                                       options=["--until-exit"])[0]
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def test_all_kinds_are_consistent(self):
        for kind, recording in self.recordings_of_all_kinds():
            with self.subTest(kind=kind):
                self.assert_consistent(recording)

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_all_kinds_match_the_schema(self):
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for kind, recording in self.recordings_of_all_kinds():
            with self.subTest(kind=kind):
                problems = [f"{error.json_path}: {error.message}"
                            for error in validator.iter_errors(recording)]
                self.assertEqual(problems, [])

    @unittest.skipIf(jsonschema is None, "python3-jsonschema is not installed")
    def test_the_schema_refuses_what_derive_refuses(self):
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        validator = jsonschema.Draft202012Validator(schema)
        recording, _ = self.recording("true")
        self.assertTrue(validator.is_valid(recording))

        def member(path):
            inner = changed = copy.deepcopy(recording)
            for step in path[:-1]:
                inner = inner[step]
            return changed, inner
        call = ("calls", 0)
        for path, new in ((("format",), "something"), (("version",), 2), (("version",), None),
                          (("command",), "ls"),
                          (("started",), "yesterday"), (("complete",), "yes"), (("processes",), {}),
                          (("processes", 0, "pid"), "1"), (("processes", 0, "executables", 0), -1),
                          (call + ("abi",), "z80"), (call + ("number",), 2 ** 32), (call + ("number",), -1),
                          (call + ("count",), None), (call + ("returned",), {"EWHAT!": 1}),
                          (call + ("first",), None)):
            with self.subTest(path=path, new=new):
                changed, inner = member(path)
                if new is None:
                    del inner[path[-1]]
                else:
                    inner[path[-1]] = new
                self.assertFalse(validator.is_valid(changed))
                self.write("bad.json", json.dumps(changed))
                self.assertEqual(self.callcensus("derive", "bad.json").status, harness.FAILED)

    def test_an_earlier_one_is_replaced(self):
        first, _ = self.recording("true")
        second, _ = self.recording("false")
        self.assertEqual((first["command"], second["command"]), (["true"], ["false"]))

    def test_our_own_calls_are_not_in_it(self):
        # What happens between fork and exec is ours.
        recording, _ = self.recording("true")
        recorded = harness.recorded(recording)
        self.assertEqual(recorded["execve"], 1)
        for name in ("rt_sigprocmask", "rt_sigaction", "ptrace", "fork", "clone", "setpgid"):
            self.assertNotIn(name, recorded)
        first = min(recording["calls"], key=lambda call: call["first"]["ms"])
        self.assertEqual(first["name"], "execve")


class RecordingsAsNobody(harness.AsNobody, Recordings):
    pass


class Summaries(harness.Case):
    def test_quiet(self):
        for target in (["true"], python(UNNAMED), ["sh", "-c", "sleep 0.01 & exit 0"]):
            done = self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", *target)
            self.assertEqual((done.status, done.out, done.err), (0, "", ""))

    def test_text(self):
        done = self.trace("-o", "p.json", "--recording", "r.json", "--", "sh", "-c",
                          "ls / >/dev/null; exit 3")
        self.assertEqual((done.status, done.out), (3, ""))
        recording, profile = self.json("r.json"), self.json("p.json")
        calls, allowed = len(recording["calls"]), len(harness.all_names(profile))
        self.assertRegex(done.err,
                         rf"\Acallcensus: {calls} different system calls on {os.uname().machine}, "
                         r"2 processes, "
                         r"\d+\.\d{3} s, engine adaptive; the recording is complete\n"
                         r"callcensus: recording written to r\.json\n"
                         rf"callcensus: profile written to p\.json: it allows {allowed} names, "
                         rf"{len(harness.observed(profile))} of them observed\n\Z")

    def test_json(self):
        done = self.trace("--json", "-o", "p.json", "--recording", "r.json", "--", "sh", "-c",
                          "echo errors >&2; ls / >/dev/null; exit 3")
        lines = done.err.splitlines()
        self.assertEqual((done.status, lines[0], len(lines)), (3, "errors", 2))
        summary = json.loads(lines[1])
        recording = self.json("r.json")
        self.assertEqual(summary["calls"], len(recording["calls"]))
        self.assertEqual(summary["abis"], [os.uname().machine])
        self.assertEqual(summary["processes"], 2)
        self.assertEqual((summary["engine"], summary["complete"], summary["exit_code"]), ("adaptive", True, 3))
        (profile,) = summary["profiles"]
        self.assertEqual((summary["gaps"], summary["notes"], profile["warnings"], profile["unnamed"]),
                         ([], [], [], []))
        self.assertEqual((summary["recording"], profile["path"], profile["executable"]), ("r.json", "p.json", None))
        self.assertEqual((summary["survivors"], summary["let_go"]), (0, 0))
        self.assertEqual(profile["observed"], len(harness.observed(self.json("p.json"))))
        self.assertGreater(summary["duration_ms"], 0)
        self.assertNotIn("signal", summary)

    def test_json_is_one_line_whatever_is_in_it(self):
        name = "odd\nname\x1b[31m ü \".json"
        done = self.trace("--json", "-o", name, "--", "true")
        self.assertEqual(done.err.count("\n"), 1)
        self.assertNotRegex(done.err[:-1], r"[\x00-\x1f]")
        self.assertEqual(json.loads(done.err)["profiles"][0]["path"], name)
        done = self.trace("--json", "-o", b"\xff\xfe.json", "--", "true")
        self.assertEqual(done.err.count("\n"), 1)
        json.loads(done.err)

    def test_json_and_quiet(self):
        # What was asked for is given, and nothing else.
        done = self.trace("--json", "-q", "-o", "p.json", "--", "true")
        self.assertSucceeded(done)
        json.loads(done.err)

    def test_text_stays_on_its_lines(self):
        done = self.trace("-o", "odd\nname\x1b[31m.json", "--", "true")
        self.assertSucceeded(done)
        for line in done.err.splitlines():
            self.assertTrue(line.startswith("callcensus: "), done.err)
        self.assertNotIn("\x1b", done.err)

    def test_json_tells_the_signal(self):
        done = self.trace("--json", "-o", "p.json", "--", "sh", "-c", "kill -TERM $$")
        summary = json.loads(done.err)
        self.assertEqual(summary["signal"], signal.SIGTERM)
        self.assertNotIn("exit_code", summary)

    def test_unnamed_calls(self):
        done = self.trace("-o", "p.json", "--recording", "r.json", "--", *python(UNNAMED))
        self.assertSucceeded(done)
        machine = os.uname().machine
        self.assertIn(f"callcensus: warning: call 5000 of {machine} (3 times) has no name and is not in the "
                      "profile: the kernel does not have it either (ENOSYS)\n", done.err)
        self.assertIn(f"callcensus: warning: call -1 of {machine} (4 times) has no name", done.err)
        recorded = harness.recorded(self.json("r.json"))
        self.assertEqual((recorded[machine, 5000], recorded[machine, 0xffffffff]), (3, 4))
        for name in harness.all_names(self.json("p.json")):
            self.assertRegex(name, r"^[a-z_0-9]+$")
        done = self.trace("--json", "-o", "p.json", "--", *python(UNNAMED))
        self.assertEqual(json.loads(done.err)["profiles"][0]["unnamed"], [
            {"abi": machine, "number": 5000, "count": 3, "exists": False},
            {"abi": machine, "number": 0xffffffff, "count": 4, "exists": False}])

    def notes(self, target):
        done = self.trace("--json", "-o", "p.json", "--", *target)
        text = self.trace("-o", "p.json", "--", *target)
        notes = json.loads(done.err)["notes"]
        for note in notes:
            self.assertIn(f"callcensus: note: {note}\n", text.err)
        self.assertEqual(text.err.count("callcensus: note: "), len(notes))
        return notes

    def test_note_about_io_uring(self):
        code = "import ctypes\nctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(256))\n"
        notes = self.notes(python(code))
        self.assertEqual(len(notes), 1)
        self.assertIn("io_uring", notes[0])
        self.assertIn("not recorded", notes[0])

    def test_note_about_a_target_that_traces(self):
        code = "import ctypes\nctypes.CDLL(None).ptrace(0, 0, 0, 0)\n"
        notes = self.notes(python(code))
        self.assertEqual(len(notes), 1)
        self.assertIn("ptrace", notes[0])
        self.assertIn("refused", notes[0])

    def test_no_note_without_a_reason(self):
        self.assertEqual(self.notes(python(SOME_CALLS)), [])

    def test_daemons_are_told_of(self):
        done = self.trace("-o", "p.json", "--", "sh", "-c", "sleep 0.2 >/dev/null & exit 0")
        self.assertIn("callcensus: 1 process outlived the first one and was followed to the end\n", done.err)
        done = self.trace("--until-exit", "-o", "p.json", "--", "sh", "-c",
                          "sleep 1000 >/dev/null 2>&1 & exit 0")
        self.assertIn("the recording is NOT complete:\ncallcensus:   stopped following a task", done.err)
        self.assertIn("callcensus: 1 task lives on without callcensus\n", done.err)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def test_nobody_reads_the_summary(self):
        # `callcensus trace … 2>&1 | head -1`: the profile is what matters.
        for options in ([], ["--json"]):
            read_end, write_end = os.pipe()
            running = self.start_trace("-o", "p.json", *options, "--", "sh", "-c", "exit 3", stderr=write_end)
            os.close(write_end)
            os.close(read_end)
            out, _ = running.process.communicate(timeout=harness.DEADLINE_S)
            self.assertEqual((running.process.returncode, out), (3, b""))
            self.assertIn("execve", harness.observed(self.json("p.json")))
            self.path("p.json").unlink()

    def test_no_standard_streams(self):
        def close_all():
            for fd in (0, 1, 2):
                os.close(fd)
        for target, status in ((["sh", "-c", "exit 3"], 3), (["./nothing"], harness.NOT_FOUND)):
            running = self.start_trace("-o", "p.json", "--recording", "r.json", "--", *target,
                                       preexec_fn=close_all)
            running.process.wait(harness.DEADLINE_S)
            self.assertEqual(running.process.returncode, status)
            if status == 3:
                # None of our own messages has found its way into a file that got one of these numbers.
                self.assertIn("execve", harness.observed(self.json("p.json")))
                self.json("r.json")
                self.path("p.json").unlink()
                self.path("r.json").unlink()
        self.assertEqual(self.files(), [])


class SummariesAsNobody(harness.AsNobody, Summaries):
    def test_note_about_a_set_user_id_program(self):
        program = "/usr/bin/su"
        if not os.path.exists(program) or not os.stat(program).st_mode & 0o4000:
            self.skipTest("no set-user-ID program here")
        done = self.trace("--json", "-o", "p.json", "--", program, "--version")
        notes = json.loads(done.err.splitlines()[-1])["notes"]
        self.assertEqual(len(notes), 1)
        self.assertIn("set-user-ID", notes[0])


if __name__ == "__main__":
    harness.main()
