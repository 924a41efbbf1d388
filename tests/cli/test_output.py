"""What is written: the profile, the recording, the summary; and what the options of the policy change."""

import copy
import json
import os
import re
import signal

import pytest

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

# Commands whose recordings differ in kind, with the options of each.
KINDS = {
    "simple": [["true"]],
    "failing": [["sh", "-c", "ls /nonexistent; exit 5"]],
    "killed": [["sh", "-c", "kill -KILL $$"]],
    "several processes": [["sh", "-c", "(ls | cat; exec true) & (exit 3); wait"]],
    "threads": [python("import threading\nfor _ in range(5): threading.Thread(target=lambda: None).start()\n")],
    "unnamed calls": [python(UNNAMED)],
    "odd arguments": [["printf", "%s", "a\nb\"\\\u2028ü\x7f", b"\xff\xfe"]],
    "let go": [["sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 2"], "--until-exit"],
}



class TestProfiles(harness.Case):
    def traced(self, *options, target=("true",)):
        done = self.trace("-q", "-o", "p.json", *options, "--", *target)
        self.assert_succeeded(done)
        assert done.err == ""
        return self.json("p.json")

    def test_shape(self):
        profile = self.traced()
        assert list(profile) == ["defaultAction", "defaultErrnoRet", "architectures", "syscalls"]
        assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 38)
        for rule in profile["syscalls"]:
            assert list(rule) == ["names", "action", "comment"]
            assert rule["action"] == "SCMP_ACT_ALLOW"
            assert rule["names"] == sorted(set(rule["names"]))
            assert rule["names"] != []
        names = harness.all_names(profile)
        assert len(names) == len(set(names)), "a call stands in two rules"
        text = self.path("p.json").read_text(encoding="utf-8")
        assert text.endswith("}\n")

    @pytest.mark.skipif(os.uname().machine != "x86_64", reason="this machine is no x86_64")
    def test_architecture(self):
        assert self.traced()["architectures"] == ["SCMP_ARCH_X86_64"]

    def test_observed_is_what_was_recorded(self):
        target = python(SOME_CALLS)
        profile = self.traced("--recording", "r.json", target=target)
        recorded = harness.recorded(self.json("r.json"))
        assert harness.observed(profile) == set(recorded)
        assert MARK_NAME in recorded
        assert "getsid" in recorded
        assert profile["syscalls"][0]["comment"] == f"observed while tracing {os.path.basename(harness.PYTHON)}"

    def test_arguments_stay_out_of_the_profile(self):
        # They may be secrets, and profiles are published.
        self.traced("--recording", "r.json", target=["sh", "-c", ": --password hunter2"])
        assert "hunter2" not in self.path("p.json").read_text(encoding="utf-8")
        assert ": --password hunter2" in self.json("r.json")["command"]

    def test_observed_only(self):
        profile = self.traced("--observed-only", "--recording", "r.json", target=python(SOME_CALLS))
        assert len(profile["syscalls"]) == 1
        assert harness.observed(profile) == set(harness.recorded(self.json("r.json")))
        assert profile["defaultErrnoRet"] == 38

    @pytest.mark.parametrize("option, text", [
        (["--runtime", "none"], "needed between loading this filter"), (["--no-unseen"], "made unseen"),
        (["--no-vdso"], "answered by the vDSO")])
    def test_each_switch_removes_its_rule(self, option, text):
        self.traced("--recording", "r.json", target=python(SOME_CALLS))

        def derived(*options):
            self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json", *options))
            return self.json("d.json")
        full = derived()
        assert len(full["syscalls"]) == 4
        expected = copy.deepcopy(full)
        removed = rule_about(full, text)
        expected["syscalls"].remove(removed)
        got = derived(*option)
        # A name stands in the first rule that has a reason for it; a later one may now have it.
        again = [name for name in removed["names"] if name in harness.all_names(got)]
        for rule, wanted in zip(got["syscalls"], expected["syscalls"]):
            assert rule["comment"] == wanted["comment"]
            assert set(rule["names"]) - set(again) == set(wanted["names"])
        assert len(got["syscalls"]) == len(expected["syscalls"])
        assert got["syscalls"][0] == full["syscalls"][0]

    def test_all_switches_leave_what_was_observed(self):
        self.traced("--recording", "r.json", target=python(SOME_CALLS))

        def derived(*options):
            self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json", *options))
            return self.json("d.json")
        full = derived()
        assert len(full["syscalls"]) == 4
        assert derived("--runtime", "none", "--no-unseen", "--no-vdso") == derived("--observed-only")

    def test_families(self):
        done = self.callcensus("trace", "-q", "--recording", "r.json", "--families", "-o", "traced.json", "--",
                               *python("import os; os.access('/', os.F_OK); os.mkdir('d'); os.rmdir('d')"))
        self.assert_succeeded(done)
        self.assert_succeeded(self.callcensus("derive", "-q", "--families", "r.json", "-o", "d.json"))
        profile = self.json("d.json")
        assert profile == self.json("traced.json")
        recorded = harness.recorded(self.json("r.json"))
        assert rule_about(profile, "same job as access: ")["names"] == ["faccessat", "faccessat2"]
        assert profile["syscalls"][1]["comment"].startswith("same job as ")
        assert harness.observed(profile) == set(recorded)
        added = {name for rule in profile["syscalls"] if rule["comment"].startswith("same job as ")
                 for name in rule["names"]}
        assert {"faccessat2", "mkdirat", "unlinkat"} <= added
        assert not added & set(recorded)
        assert not added & {"mount", "ptrace", "bpf", "unshare"}
        self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json"))
        assert [rule for rule in self.json("d.json")["syscalls"] if "same job" in rule["comment"]] == []

    def test_families_are_more_than_what_was_observed(self):
        for arguments in (("trace", "--families", "--observed-only", "--", "touch", "ran"),
                          ("derive", "--observed-only", "--families", "r.json")):
            self.assert_complains(self.callcensus(*arguments), "--families --observed-only: ")
        assert not self.path("ran").exists()

    def test_runtimes(self):
        self.traced("--recording", "r.json")

        def names(*options):
            self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json", "--no-unseen",
                                                 "--no-vdso", *options))
            return set(harness.all_names(self.json("d.json")))
        both, runc, crun, none = (names("--runtime", name) for name in ("any", "runc", "crun", "none"))
        assert both == names()
        assert both == runc | crun
        assert none < runc
        assert none < crun
        assert runc != crun
        for runtime in ("any", "runc", "crun"):
            with_exec, without = names("--runtime", runtime), names("--runtime", runtime, "--no-exec")
            assert without <= with_exec
            assert names("--runtime", runtime, "--no-new-privileges") < with_exec
        assert names("--runtime", "crun", "--no-exec") < crun
        # Where a denial kills, calls count that otherwise may fail.
        assert both < names("--default-action", "kill_process")

    def test_comments_tell_the_runtime_and_exec(self):
        self.traced("--recording", "r.json")
        for options, inside, outside in ((["--runtime", "runc"], ["runc", "exec"], ["crun"]),
                                         (["--runtime", "crun"], ["crun", "exec"], ["runc"]),
                                         (["--no-exec"], ["runc", "crun"], ["for exec into", "privileges"]),
                                         (["--no-new-privileges"], ["only with no_new_privileges"], [])):
            self.assert_succeeded(self.callcensus("derive", "-q", "r.json", "-o", "d.json", *options))
            comment = rule_about(self.json("d.json"), "needed between loading this filter")["comment"]
            for word in inside:
                assert word in comment
            for word in outside:
                assert word not in comment

    @pytest.mark.parametrize("options, action, errno", [
        ([], "SCMP_ACT_ERRNO", 38), (["--default-errno", "EPERM"], "SCMP_ACT_ERRNO", 1),
        (["--default-errno=13"], "SCMP_ACT_ERRNO", 13),
        (["--default-action=errno"], "SCMP_ACT_ERRNO", 38),
        (["--default-action", "SCMP_ACT_KILL_PROCESS"], "SCMP_ACT_KILL_PROCESS", None),
        (["--default-action", "trap"], "SCMP_ACT_TRAP", None),
        (["--observed-only", "--default-errno", "EACCES"], "SCMP_ACT_ERRNO", 13)])
    def test_default_action_and_errno(self, options, action, errno):
        profile = self.traced(*options)
        assert (profile["defaultAction"], profile.get("defaultErrnoRet")) == (action, errno)

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
        assert profile["syscalls"][:3] == baseline["syscalls"]
        assert profile["x-unknown"] == baseline["x-unknown"]
        assert profile["defaultErrnoRet"] == 1
        names = [name for rule in profile["syscalls"][3:] for name in rule["names"]]
        for name in ("execve", "mmap", "brk", MARK_NAME):
            assert name not in names
        observed = set(profile["syscalls"][3]["names"])
        assert observed == set(harness.recorded(self.json("r.json"))) - {"execve", "mmap", "brk", MARK_NAME}
        # The profile again as its own baseline adds nothing.
        os.rename(self.path("p.json"), self.path("again.json"))
        again = self.traced("--baseline", "again.json", target=python(SOME_CALLS))
        assert again == profile

    def test_output_may_be_its_own_baseline(self):
        self.traced()
        before = set(harness.all_names(self.json("p.json")))
        after = set(harness.all_names(self.traced("--baseline", "p.json", target=python(SOME_CALLS))))
        assert before < after
        assert MARK_NAME in after

    def test_the_same_command_gives_the_same_profile(self):
        for target in (["true"], ["sh", "-c", "true; ls / >/dev/null; echo $(echo x)"], python(SOME_CALLS)):
            texts = set()
            for _ in range(3):
                self.traced(target=target)
                texts.add(self.path("p.json").read_bytes())
            assert len(texts) == 1

    def test_32_bit_programs(self):
        program = harness.tracee("i386")
        profile = self.traced("--recording", "r.json", target=[program])
        assert profile["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
        assert {call["abi"] for call in self.json("r.json")["calls"]} == {"x86_64", "i386"}
        assert "sigreturn" in harness.all_names(profile)
        done = self.trace("--json", "-o", "p.json", program)
        assert json.loads(done.err)["abis"] == ["x86_64", "i386"]


class TestProfilesAsNobody(harness.AsNobody, TestProfiles):
    pass


class TestStandardOutput(harness.Case):
    def test_profile_comes_after_what_the_target_wrote(self):
        done = self.trace("-q", "-o", "-", "--", "sh", "-c",
                          "echo first; echo errors >&2; echo second; exit 3")
        assert (done.status, done.err) == (3, "errors\n")
        assert done.out.startswith("first\nsecond\n{")
        profile = json.loads(done.out.partition("\nsecond\n")[2])
        assert "execve" in harness.observed(profile)
        assert self.files() == []

    def test_summary_names_it(self):
        done = self.trace("-o", "-", "--", "true")
        assert "profile written to standard output" in done.err
        self.assert_succeeded(done)
        json.loads(done.out)

    def test_recording_can_be_piped_into_derive(self):
        self.assert_succeeded(self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", "true"))
        text = self.path("r.json").read_bytes()
        done = self.callcensus("derive", "-q", "-o", "-", "-", stdin=text)
        self.assert_succeeded(done)
        assert done.out == self.path("p.json").read_text(encoding="utf-8")

    def test_also_when_the_target_dies_by_a_signal(self):
        done = self.trace("-q", "-o", "-", "--", "sh", "-c", "echo last words; kill -KILL $$")
        assert done.status == -signal.SIGKILL
        assert "execve" in harness.observed(json.loads(done.out.partition("last words\n")[2]))

    def test_large_profile_to_a_slow_reader(self):
        # More than a pipe holds, so that it is written in parts.
        baseline = {"defaultAction": "SCMP_ACT_ERRNO", "comment": "x" * 300_000, "syscalls": []}
        self.write("base.json", json.dumps(baseline))
        done = self.trace("-q", "-o", "-", "--baseline", "base.json", "--", "true")
        assert json.loads(done.out)["comment"] == baseline["comment"]


class TestDeriving(harness.Case):
    def recorded(self, name, *target):
        self.assert_succeeded(self.trace("-q", "-o", f"{name}.profile", "--recording", name, "--", *target))

    def derived(self, *arguments):
        done = self.callcensus("derive", "-o", "d.json", *arguments)
        self.assert_succeeded(done)
        return self.json("d.json"), done

    def test_equals_what_trace_wrote(self):
        self.recorded("r.json", *python(SOME_CALLS))
        self.derived("-q", "r.json")
        assert self.path("d.json").read_bytes() == self.path("r.json.profile").read_bytes()
        for options in (["--observed-only"], ["--runtime", "crun", "--no-exec"], ["--default-action", "kill"],
                        ["--no-vdso", "--default-errno", "EPERM"]):
            self.assert_succeeded(self.trace("-q", "-o", "t.json", *options, "--", *python(SOME_CALLS)))
            self.derived("-q", *options, "r.json")
            assert self.path("d.json").read_bytes() == self.path("t.json").read_bytes()

    def test_two_recordings(self):
        self.recorded("a.json", "true")
        self.recorded("b.json", *python(SOME_CALLS))
        self.recorded("c.json", "ls", "-l", "/")
        both, _ = self.derived("-q", "a.json", "b.json", "c.json")
        parts = [harness.observed(self.json(f"{name}.json.profile")) for name in "abc"]
        assert harness.observed(both) == set().union(*parts)
        assert (both["syscalls"][0]["comment"] ==
                "observed while tracing ls, " + os.path.basename(harness.PYTHON) + ", true")
        assert self.derived("-q", "c.json", "a.json", "b.json", "b.json")[0] == both

    def test_default_output(self):
        self.recorded("r.json", "true")
        self.assert_succeeded(self.callcensus("derive", "r.json"))
        assert self.path("seccomp.json").read_bytes() == self.path("r.json.profile").read_bytes()

    def test_what_it_says(self):
        self.recorded("r.json", *python(UNNAMED))
        _, done = self.derived("r.json")
        assert done.out == ""
        assert re.search(r"(?m)^callcensus: warning: call 5000 of \w+ \(3 times\) has no name", done.err)
        assert re.search(r"(?m)^callcensus: warning: call -1 of \w+ \(4 times\) has no name", done.err)
        assert re.search(r"(?m)^callcensus: profile written to d.json: \d+ calls observed$", done.err)
        assert self.derived("-q", "r.json")[1].err == ""

    def test_incomplete_recording(self):
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        recording["complete"], recording["gaps"] = False, ["somebody tore a page out"]
        self.write("torn.json", json.dumps(recording))
        profile, done = self.derived("torn.json")
        assert "callcensus: warning: torn.json is not complete: somebody tore a page out\n" in done.err
        assert profile == self.json("r.json.profile")
        assert self.derived("-q", "torn.json")[1].err == ""

    def test_no_calls_at_all(self):
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        recording["calls"] = []
        self.write("empty.json", json.dumps(recording))
        profile, _ = self.derived("--observed-only", "empty.json")
        assert profile["syscalls"] == []

    def test_recording_of_another_architecture(self):
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        for call in recording["calls"]:
            call["abi"] = "aarch64"
            del call["name"]
        recording["calls"] = [dict(recording["calls"][0], number=63), dict(recording["calls"][0], number=221)]
        self.write("arm.json", json.dumps(recording))
        profile, _ = self.derived("-q", "arm.json")
        assert profile["architectures"] == ["SCMP_ARCH_AARCH64"]
        assert harness.observed(profile) == {"read", "execve"}

    def test_names_in_a_recording_do_not_count(self):
        # The numbers do: a name is there for people to read.
        self.recorded("r.json", "true")
        recording = self.json("r.json")
        for call in recording["calls"]:
            call["name"] = "reboot"
        self.write("renamed.json", json.dumps(recording))
        assert self.derived("-q", "renamed.json")[0] == self.json("r.json.profile")


class TestDerivingAsNobody(harness.AsNobody, TestDeriving):
    pass


class TestRecordings(harness.Case):
    def recording(self, *target, options=()):
        done = self.trace("-q", "-o", "p.json", "--recording", "r.json", *options, "--", *target)
        return self.json("r.json"), done

    def assert_consistent(self, recording):
        """What holds for every recording and no schema can say."""
        executables, processes = len(recording["executables"]), recording["processes"]
        assert recording["complete"] == (recording["gaps"] == [])
        for index, process in enumerate(processes):
            if process["parent"] is None:
                assert index == 0
            else:
                assert process["parent"] < index
            assert process["executables"]
            assert all(executable < executables for executable in process["executables"])
            assert 0 <= process["started_ms"]
            assert process["started_ms"] <= recording["duration_ms"]
        keys = [(call["abi"], call["number"]) for call in recording["calls"]]
        assert len(keys) == len(set(keys))
        for call in recording["calls"]:
            assert sum(call["returned"].values()) + call["unfinished"] == call["count"]
            assert sum(share["count"] for share in call["executables"]) == call["count"]
            assert call["first"]["process"] < len(processes)
            assert call["first"]["executable"] in [share["executable"] for share in call["executables"]]
        assert recording.get("exit_code") == processes[0].get("exit_code")
        assert recording.get("signal") == processes[0].get("signal")

    def test_what_is_in_it(self):
        recording, done = self.recording("sh", "-c", "true; ls /nonexistent; exit 5")
        assert done.status == 5
        self.assert_consistent(recording)
        assert recording["format"] == "callcensus-recording"
        assert recording["version"] == 1
        assert re.search(r"^callcensus \d+\.\d+\.\d+$", recording["generator"])
        assert (recording["engine"], recording["counts"]) == ("adaptive", "exact")
        assert recording["host"] == {"kernel": os.uname().release, "machine": os.uname().machine}
        assert recording["command"] == ["sh", "-c", "true; ls /nonexistent; exit 5"]
        assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", recording["started"])
        assert (recording["complete"], recording["exit_code"]) == (True, 5)
        assert "signal" not in recording
        names = [os.path.basename(path) for path in recording["executables"]]
        assert names == [os.path.basename(os.path.realpath("/bin/sh")), "ls"]
        assert [process["executables"] for process in recording["processes"]] == [[0], [0, 1]]
        assert [process["parent"] for process in recording["processes"]] == [None, 0]
        assert harness.recorded(recording)["execve"] == 2

    def test_death_by_a_signal(self):
        recording, _ = self.recording("sh", "-c", "ulimit -c 0; kill -SEGV $$")
        assert recording["signal"] == signal.SIGSEGV
        assert "exit_code" not in recording
        self.assert_consistent(recording)

    def recording_of(self, kind):
        command, *options = KINDS[kind]
        recording, _ = self.recording(*command, options=options)
        for pid in self.processes():  # what it has let go
            os.kill(pid, signal.SIGKILL)
        return recording

    @pytest.mark.parametrize("kind", KINDS)
    def test_all_kinds_are_consistent(self, kind):
        self.assert_consistent(self.recording_of(kind))

    @pytest.mark.skipif(jsonschema is None, reason="python3-jsonschema is not installed")
    @pytest.mark.parametrize("kind", KINDS)
    def test_all_kinds_match_the_schema(self, kind):
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        problems = [f"{error.json_path}: {error.message}"
                    for error in jsonschema.Draft202012Validator(schema).iter_errors(self.recording_of(kind))]
        assert problems == []

    @pytest.mark.skipif(jsonschema is None, reason="python3-jsonschema is not installed")
    @pytest.mark.parametrize("path, new", [
        (("format",), "something"), (("version",), 2), (("version",), None), (("command",), "ls"),
        (("started",), "yesterday"), (("complete",), "yes"), (("processes",), {}),
        (("processes", 0, "pid"), "1"), (("processes", 0, "executables", 0), -1),
        (("calls", 0, "abi"), "z80"), (("calls", 0, "number"), 2 ** 32), (("calls", 0, "number"), -1),
        (("calls", 0, "count"), None), (("calls", 0, "returned"), {"EWHAT!": 1}),
        (("calls", 0, "first"), None)])
    def test_the_schema_refuses_what_derive_refuses(self, path, new):
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        validator = jsonschema.Draft202012Validator(schema)
        recording, _ = self.recording("true")
        assert validator.is_valid(recording)

        inner = changed = copy.deepcopy(recording)
        for step in path[:-1]:
            inner = inner[step]
        if new is None:
            del inner[path[-1]]
        else:
            inner[path[-1]] = new
        assert not validator.is_valid(changed)
        self.write("bad.json", json.dumps(changed))
        assert self.callcensus("derive", "bad.json").status == harness.FAILED

    def test_an_earlier_one_is_replaced(self):
        first, _ = self.recording("true")
        second, _ = self.recording("false")
        assert (first["command"], second["command"]) == (["true"], ["false"])

    def test_our_own_calls_are_not_in_it(self):
        # What happens between fork and exec is ours.
        recording, _ = self.recording("true")
        recorded = harness.recorded(recording)
        assert recorded["execve"] == 1
        for name in ("rt_sigprocmask", "rt_sigaction", "ptrace", "fork", "clone", "setpgid"):
            assert name not in recorded
        first = min(recording["calls"], key=lambda call: call["first"]["ms"])
        assert first["name"] == "execve"


class TestRecordingsAsNobody(harness.AsNobody, TestRecordings):
    pass


class TestSummaries(harness.Case):
    def test_quiet(self):
        for target in (["true"], python(UNNAMED), ["sh", "-c", "sleep 0.01 & exit 0"]):
            done = self.trace("-q", "-o", "p.json", "--recording", "r.json", "--", *target)
            assert (done.status, done.out, done.err) == (0, "", "")

    def test_text(self):
        done = self.trace("-o", "p.json", "--recording", "r.json", "--", "sh", "-c",
                          "ls / >/dev/null; exit 3")
        assert (done.status, done.out) == (3, "")
        recording, profile = self.json("r.json"), self.json("p.json")
        calls, allowed = len(recording["calls"]), len(harness.all_names(profile))
        assert re.search(rf"\Acallcensus: {calls} different system calls on {os.uname().machine}, "
                         r"2 processes, "
                         r"\d+\.\d{3} s, engine adaptive; the recording is complete\n"
                         r"callcensus: recording written to r\.json\n"
                         rf"callcensus: profile written to p\.json: it allows {allowed} names, "
                         rf"{len(harness.observed(profile))} of them observed\n\Z",
                         done.err)

    def test_json(self):
        done = self.trace("--json", "-o", "p.json", "--recording", "r.json", "--", "sh", "-c",
                          "echo errors >&2; ls / >/dev/null; exit 3")
        lines = done.err.splitlines()
        assert (done.status, lines[0], len(lines)) == (3, "errors", 2)
        summary = json.loads(lines[1])
        recording = self.json("r.json")
        assert summary["calls"] == len(recording["calls"])
        assert summary["abis"] == [os.uname().machine]
        assert summary["processes"] == 2
        assert (summary["engine"], summary["complete"], summary["exit_code"]) == ("adaptive", True, 3)
        (profile,) = summary["profiles"]
        assert (summary["gaps"], summary["notes"], profile["warnings"], profile["unnamed"]) == ([], [], [], [])
        assert (summary["recording"], profile["path"], profile["executable"]) == ("r.json", "p.json", None)
        assert (summary["survivors"], summary["let_go"]) == (0, 0)
        assert profile["observed"] == len(harness.observed(self.json("p.json")))
        assert summary["duration_ms"] > 0
        assert "signal" not in summary

    def test_json_is_one_line_whatever_is_in_it(self):
        name = "odd\nname\x1b[31m ü \".json"
        done = self.trace("--json", "-o", name, "--", "true")
        assert done.err.count("\n") == 1
        assert not re.search(r"[\x00-\x1f]", done.err[:-1])
        assert json.loads(done.err)["profiles"][0]["path"] == name
        done = self.trace("--json", "-o", b"\xff\xfe.json", "--", "true")
        assert done.err.count("\n") == 1
        json.loads(done.err)

    def test_json_and_quiet(self):
        # What was asked for is given, and nothing else.
        done = self.trace("--json", "-q", "-o", "p.json", "--", "true")
        self.assert_succeeded(done)
        json.loads(done.err)

    def test_text_stays_on_its_lines(self):
        done = self.trace("-o", "odd\nname\x1b[31m.json", "--", "true")
        self.assert_succeeded(done)
        for line in done.err.splitlines():
            assert line.startswith("callcensus: "), done.err
        assert "\x1b" not in done.err

    def test_json_tells_the_signal(self):
        done = self.trace("--json", "-o", "p.json", "--", "sh", "-c", "kill -TERM $$")
        summary = json.loads(done.err)
        assert summary["signal"] == signal.SIGTERM
        assert "exit_code" not in summary

    def test_unnamed_calls(self):
        done = self.trace("-o", "p.json", "--recording", "r.json", "--", *python(UNNAMED))
        self.assert_succeeded(done)
        machine = os.uname().machine
        assert (f"callcensus: warning: call 5000 of {machine} (3 times) has no name and is not in the "
               "profile: the kernel does not have it either (ENOSYS)\n") in done.err
        assert f"callcensus: warning: call -1 of {machine} (4 times) has no name" in done.err
        recorded = harness.recorded(self.json("r.json"))
        assert (recorded[machine, 5000], recorded[machine, 0xffffffff]) == (3, 4)
        for name in harness.all_names(self.json("p.json")):
            assert re.search(r"^[a-z_0-9]+$", name)
        done = self.trace("--json", "-o", "p.json", "--", *python(UNNAMED))
        assert json.loads(done.err)["profiles"][0]["unnamed"] == [
    {"abi": machine, "number": 5000, "count": 3, "exists": False},
    {"abi": machine, "number": 0xffffffff, "count": 4, "exists": False}]

    def notes(self, target):
        done = self.trace("--json", "-o", "p.json", "--", *target)
        text = self.trace("-o", "p.json", "--", *target)
        notes = json.loads(done.err)["notes"]
        for note in notes:
            assert f"callcensus: note: {note}\n" in text.err
        assert text.err.count("callcensus: note: ") == len(notes)
        return notes

    def test_note_about_io_uring(self):
        code = "import ctypes\nctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(256))\n"
        notes = self.notes(python(code))
        assert len(notes) == 1
        assert "io_uring" in notes[0]
        assert "not recorded" in notes[0]

    def test_note_about_a_target_that_traces(self):
        code = "import ctypes\nctypes.CDLL(None).ptrace(0, 0, 0, 0)\n"
        notes = self.notes(python(code))
        assert len(notes) == 1
        assert "ptrace" in notes[0]
        assert "refused" in notes[0]

    def test_no_note_without_a_reason(self):
        assert self.notes(python(SOME_CALLS)) == []

    def test_daemons_are_told_of(self):
        done = self.trace("-o", "p.json", "--", "sh", "-c", "sleep 0.2 >/dev/null & exit 0")
        assert "callcensus: 1 process outlived the first one and was followed to the end\n" in done.err
        done = self.trace("--until-exit", "-o", "p.json", "--", "sh", "-c",
                          "sleep 1000 >/dev/null 2>&1 & exit 0")
        assert "the recording is NOT complete:\ncallcensus:   stopped following a task" in done.err
        assert "callcensus: 1 task lives on without callcensus\n" in done.err
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
            assert (running.process.returncode, out) == (3, b"")
            assert "execve" in harness.observed(self.json("p.json"))
            self.path("p.json").unlink()

    def test_no_standard_streams(self):
        def close_all():
            for fd in (0, 1, 2):
                os.close(fd)
        for target, status in ((["sh", "-c", "exit 3"], 3), (["./nothing"], harness.NOT_FOUND)):
            running = self.start_trace("-o", "p.json", "--recording", "r.json", "--", *target,
                                       preexec_fn=close_all)
            running.process.wait(harness.DEADLINE_S)
            assert running.process.returncode == status
            if status == 3:
                # None of our own messages has found its way into a file that got one of these numbers.
                assert "execve" in harness.observed(self.json("p.json"))
                self.json("r.json")
                self.path("p.json").unlink()
                self.path("r.json").unlink()
        assert self.files() == []


class TestSummariesAsNobody(harness.AsNobody, TestSummaries):
    def test_note_about_a_set_user_id_program(self):
        program = "/usr/bin/su"
        if not os.path.exists(program) or not os.stat(program).st_mode & 0o4000:
            pytest.skip("no set-user-ID program here")
        done = self.trace("--json", "-o", "p.json", "--", program, "--version")
        notes = json.loads(done.err.splitlines()[-1])["notes"]
        assert len(notes) == 1
        assert "set-user-ID" in notes[0]
