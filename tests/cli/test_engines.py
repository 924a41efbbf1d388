"""Which engine records, what each can give, and whose calls count."""

import ctypes
import inspect
import json
import os
import re
import shutil
import stat

import pytest

import harness
from harness import MARK, MARK_NAME, needs_root, observed, python, recorded

# A target that soon runs freely under --patience 0.1, and then does what `code` says.
# How many it takes depends on how busy the machine is; so many are enough on the busiest.
CALLS = 20000
HOT = f"""
import os, sys
for _ in range({CALLS}): os.getppid()
"""

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def allow_everything():
    """Loads a seccomp filter into this process that allows all calls."""
    class Program(ctypes.Structure):
        _fields_ = [("size", ctypes.c_ushort), ("code", ctypes.c_char_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    code = (6).to_bytes(2, "little") + b"\0\0" + (0x7fff0000).to_bytes(4, "little")  # BPF_RET, ALLOW
    if (libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
            libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(Program(1, code)), 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "no filter")


# For targets in Python.
LOADING = "_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2\n" + inspect.getsource(allow_everything)


class TestChoosing(harness.Case):
    def summary(self, *options, command=("true",), **how):
        done = self.trace("--json", "-o", "p.json", "--recording", "r.json", *options, "--", *command, **how)
        self.assert_succeeded(done)
        return json.loads(done.err.splitlines()[-1])

    def test_adaptive_is_the_default(self):
        for options in ((), ("--engine", "auto"), ("--engine", "adaptive")):
            summary = self.summary(*options)
            assert (summary["engine"], summary["why_this_engine"]) == ("adaptive", None)
            assert self.json("r.json")["engine"] == "adaptive"

    def test_ptrace_where_it_is_named(self):
        summary = self.summary("--engine", "ptrace")
        assert (summary["engine"], summary["why_this_engine"]) == ("ptrace", None)

    @pytest.mark.parametrize("option", ["--count", "--until-exit"])
    def test_what_needs_every_stop_takes_ptrace(self, option):
        summary = self.summary(option, "--patience", "0")
        assert (summary["engine"], summary["counts"]) == ("ptrace", "exact")
        assert summary["why_this_engine"].startswith("adaptive: "), summary
        self.assert_complains(self.trace("--engine", "adaptive", option, "--", "touch", "ran"), "adaptive")
        assert "ran" not in self.files()

    def test_the_summary_says_why(self):
        done = self.trace("-o", "p.json", "--count", "--", "true")
        assert "engine ptrace (not adaptive: " in done.err

    def test_a_filter_around_us_takes_ptrace(self):
        command = [harness.PROGRAM, "trace", "--json", "-o", "p.json"]
        done = self.run_natively(*command, "--", "true", preexec_fn=allow_everything)
        self.assert_succeeded(done)
        summary = json.loads(done.err.splitlines()[-1])
        assert summary["engine"] == "ptrace"
        assert "seccomp filter around callcensus" in summary["why_this_engine"]
        self.assert_complains(self.run_natively(*command, "--engine", "adaptive", "--", "true",
                                               preexec_fn=allow_everything), "seccomp filter around callcensus")

    def test_exact_until_a_process_runs_freely(self):
        assert self.summary()["counts"] == "exact"
        assert self.json("r.json")["counts"] == "exact"
        assert all("unfinished" in call for call in self.json("r.json")["calls"])
        assert self.summary("--patience", "0.1", command=python(HOT))["counts"] == "at least"
        recording = self.json("r.json")
        assert recording["counts"] == "at least"
        assert [process["scope"] for process in recording["processes"]] == ["tree"]
        assert not any("unfinished" in call for call in recording["calls"])
        assert recorded(recording)["getppid"] < CALLS

    def test_calls_after_that_are_found(self):
        self.summary("--patience", "0.1", command=python(HOT + MARK))
        assert recorded(self.json("r.json"))[MARK_NAME] == 1

    def test_patience(self):
        counts = {}
        for patience in ("0", "0.1", "10"):
            self.summary("--patience", patience, command=python(HOT))
            counts[patience] = recorded(self.json("r.json"))["getppid"]
        assert counts["0"] == CALLS  # not known when the process is released: each one stops
        assert counts["0.1"] < CALLS / 2
        assert counts["10"] == CALLS
        for bad in ("-1", "soon", ""):
            self.assert_complains(self.trace(f"--patience={bad}", "--", "true"), "--patience")

    def test_the_summary_names_calls_that_became_frequent_too_late(self):
        late = HOT + "for _ in range(%d): os.getpgid(0)\n"
        note = r"(?m)^callcensus: note: getpgid stopped \d{4} times after \S*python\S* was released: .*--known FILE"
        traced = self.trace("--patience", "0.1", "-o", "p.json", "--", *python(late % 3000))
        assert re.search(note, traced.err)
        assert "getppid stopped" not in traced.err
        assert "stopped" not in self.trace("--known", "p.json", "--", *python(late % 3000)).err
        assert "stopped" not in self.trace("--patience", "0.1", "--", *python(late % 300)).err
        notes = self.summary("--patience", "0.1", command=python(late % 3000))["notes"]
        assert notes[0].startswith("getpgid stopped "), notes

    def test_the_summary_names_programs_that_load_a_filter_of_their_own(self):
        own = "import ctypes\n" + LOADING + "import os\nallow_everything()\nfor _ in range(%d): os.getpgid(0)\n"
        note = r"(?m)^callcensus: note: \S*python\S* stopped at each of (\d+) calls, since a seccomp filter"
        traced = self.trace("-o", "p.json", "--", *python(own % 3000))
        assert re.search(note, traced.err)
        assert int(re.search(note, traced.err)[1]) >= 3000
        assert "stopped at each" not in self.trace("--", *python(own % 300)).err
        assert "stopped at each" not in self.trace("--engine", "ptrace", "--", *python(own % 3000)).err
        verified = self.run_natively(harness.PROGRAM, "verify", "p.json", "--", *python(own % 3000))
        assert re.search(note, verified.err)

    def test_daemons_that_run_freely_are_asked_to_end(self):
        # They would not survive us. Ctrl-C is SIGINT from the terminal; sent by kill(2) it means the same here.
        code = harness.REACTING + f"""
if os.fork(): os._exit(0)
os.setsid()
def stop(signum, frame):
    {MARK}
    say("stopped")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
say("ready")
for_ever()
"""
        traced = self.start_trace("--json", "--patience", "0", "-o", "p.json", "--", *python(code))
        traced.expect("ready")
        harness.wait_for(lambda: len(harness.tracees_of(traced.process.pid)) == 1, "only the daemon to be left")
        traced.send(harness.signal.SIGINT)
        done = traced.end()
        assert done.status == 0
        assert "stopped" in done.out
        assert MARK_NAME in observed(self.json("p.json"))
        assert json.loads(done.err.splitlines()[-1])["let_go"] == 0


class TestChoosingAsNobody(harness.AsNobody, TestChoosing):
    pass


class TestPrivileges(harness.Case):
    def set_user_id_program(self):
        """A copy of id(1) that runs as root."""
        os.chmod(self.directory, 0o755)
        copy = self.path("id-as-root")
        shutil.copy(shutil.which("id"), copy)
        os.chmod(copy, 0o755 | stat.S_ISUID)
        return str(copy)

    def traced(self, *options):
        # --split, so that the shell is filtered anew after setpriv has given up root: with no_new_privs.
        script = f"{self.set_user_id_program()} -u"
        done = self.trace("--json", "--patience", "0", "--split", "-o", "p.json", *options, "--", "setpriv",
                          "--reuid", "65534", "--clear-groups", "sh", "-c", script + "; true")
        self.assert_succeeded(done)
        return done.out.strip(), json.loads(done.err.splitlines()[-1])["notes"]

    @needs_root
    def test_lost_by_no_new_privs_and_said(self):
        user, notes = self.traced()
        assert user == "65534"
        assert any("id-as-root" in note and "--keep-privileges" in note for note in notes), notes

    @pytest.mark.parametrize("options", [("--keep-privileges",), ("--engine", "ptrace")])
    @needs_root
    def test_kept(self, options):
        user, notes = self.traced(*options)
        assert (user, notes) == ("0", [])


class TestSelecting(harness.Case):
    SCRIPT = "ls / >/dev/null; " + " ".join(python("'import os; " + MARK + "'")) + "; uname >/dev/null"

    def sets(self, *options, names=("ls", "uname", "dash")):
        """The observed calls of each executable, by --split."""
        self.assert_succeeded(self.trace("--split", *options, "-o", "p.json", "--", "dash", "-c", self.SCRIPT))
        return {name: observed(self.json(f"p.{name}.json")) for name in names}

    def test_split(self):
        sets = self.sets()
        assert "uname" in sets["uname"]
        assert "uname" not in sets["ls"]
        assert "getdents64" in sets["ls"]
        assert "getdents64" not in sets["dash"]
        assert "p.json" not in self.files()
        comment = self.json("p.ls.json")["syscalls"][0]["comment"]
        assert comment == "observed in ls while tracing dash"

    @pytest.mark.parametrize("patience", ["0", "0.1", "1"])
    def test_every_engine_finds_the_same_sets(self, patience):
        by_ptrace = self.sets("--engine", "ptrace")
        assert self.sets("--engine", "adaptive", "--patience", patience) == by_ptrace

    @pytest.mark.parametrize("options, expected", [
        (["--only", "ls"], ["ls"]),
        (["--only", "*/ls"], ["ls"]),
        (["--only", "ls", "--only", "uname"], ["ls", "uname"]),
        (["--exclude", "ls", "--exclude", "python*"], ["dash", "uname"]),
        (["--only", "[lu]*", "--exclude", "u*"], ["ls"])])
    def test_only_and_exclude(self, options, expected):
        sets = self.sets()
        self.assert_succeeded(self.trace(*options, "-o", "p.json", "--recording", "r.json", "--", "dash", "-c",
                                        self.SCRIPT))
        assert observed(self.json("p.json")) == set.union(*(sets[name] for name in expected))
        self.assert_succeeded(self.callcensus("derive", *options, "r.json", "-o", "d.json"))
        assert self.json("d.json") == self.json("p.json")

    def test_nobody_selected(self):
        done = self.trace("--only", "nginx", "-o", "p.json", "--", "true")
        self.assert_succeeded(done)
        assert "warning: no executable that was recorded is selected" in done.err

    def test_same_name_twice(self):
        for folder in ("one", "two"):
            os.mkdir(self.path(folder))
            shutil.copy(shutil.which("true"), self.path(folder) / "tool")
            os.chmod(self.path(folder), 0o755)
        self.assert_succeeded(self.trace("--split", "-o", "p.json", "--", "sh", "-c", "one/tool; two/tool"))
        named = [name for name in self.files() if name.endswith("tool.json")]
        assert len(named) == 2, self.files()
        assert any("one-tool" in name for name in named), named

    def test_names_that_become_the_same(self):
        # The same last part, and the same whole path once slashes have become dashes.
        tools = ("a-b/tool", "a/b/tool")
        for tool in tools:
            os.makedirs(self.path(tool).parent, mode=0o755)
            shutil.copy(shutil.which("true"), self.path(tool))
        self.assert_succeeded(self.trace("--split", "-o", "p.json", "--", "sh", "-c", "; ".join(tools)))
        named = [name for name in self.files() if "tool" in name]
        assert len(named) == 2, self.files()

    def test_a_recording_of_the_tree_is_refused(self):
        self.assert_succeeded(self.trace("--patience", "0.1", "--recording", "r.json", "-o", "p.json", "--",
                                         *python(HOT)))
        for options in (("--only", "ls"), ("--exclude", "ls"), ("--split",)):
            self.assert_complains(self.callcensus("derive", *options, "r.json", "-o", "d.json"), "r.json", "--only")
        assert "d.json" not in self.files()

    def test_split_needs_a_file(self):
        self.assert_complains(self.trace("--split", "-o", "-", "--", "touch", "ran"), "--split")
        assert "ran" not in self.files()


class TestSelectingAsNobody(harness.AsNobody, TestSelecting):
    pass


class TestKnown(harness.Case):
    def set_up(self):
        super().set_up()
        self.assert_succeeded(self.trace("--recording", "r1.json", "-o", "p1.json", "--", "ls", "/"))

    def again(self, known, *command):
        done = self.trace("--known", known, "--recording", "r2.json", "-o", "p2.json", "--", *command)
        self.assert_succeeded(done)
        return done, self.json("r2.json"), self.json("p2.json")

    @pytest.mark.parametrize("known", ["r1.json", "p1.json"])
    def test_runs_freely_from_the_start(self, known):
        done, recording, profile = self.again(known, "ls", "/")
        assert recording["counts"] == "at least"
        assert len(recording["calls"]) < 5
        assert "known beforehand and not looked for" in done.err
        first = {name for rule in self.json("p1.json")["syscalls"] for name in rule["names"]}
        second = {name for rule in profile["syscalls"] for name in rule["names"]}
        assert second == first
        assumed = [rule for rule in profile["syscalls"] if rule["comment"].startswith("known from")]
        assert len(assumed) == 1
        if known == "r1.json":
            before = {(call["abi"], call["number"]) for call in self.json("r1.json")["calls"]}
            seen = {(call["abi"], call["number"]) for call in recording["calls"]}
            assert {(call["abi"], call["number"]) for call in recording["assumed"]} == before - seen

    def test_what_is_not_known_is_found(self):
        _, recording, profile = self.again("r1.json", *python("import os; " + MARK))
        assert recorded(recording)[MARK_NAME] == 1
        assert MARK_NAME in observed(profile)

    def test_left_out_on_request(self):
        for option in ("--no-known", "--observed-only"):
            self.assert_succeeded(self.trace("--known", "r1.json", option, "-o", "p2.json", "--", "ls", "/"))
            rules = self.json("p2.json")["syscalls"]
            assert not any(rule["comment"].startswith("known from") for rule in rules)

    def test_a_chain_of_runs(self):
        self.again("r1.json", *python("import os; " + MARK))
        os.rename(self.path("r2.json"), self.path("r1.json"))
        _, recording, _ = self.again("r1.json", *python("import os; " + MARK))
        assert MARK_NAME not in recorded(recording)
        assert MARK_NAME in {call.get("name") for call in recording["assumed"]}

    def test_what_cannot_be_read(self):
        self.write("bad.json", "{")
        for known, fragment in (("none.json", "none.json"), ("bad.json", "bad.json:1:")):
            self.assert_complains(self.trace("--known", known, "--", "touch", "ran"), fragment)
        assert "ran" not in self.files()


class TestKnownAsNobody(harness.AsNobody, TestKnown):
    pass
