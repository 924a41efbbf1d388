#!/usr/bin/env python3
"""Which engine records, what each can give, and whose calls count."""

import ctypes
import inspect
import json
import os
import re
import shutil
import stat

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


class Choosing(harness.Case):
    def summary(self, *options, command=("true",), **how):
        done = self.trace("--json", "-o", "p.json", "--recording", "r.json", *options, "--", *command, **how)
        self.assertSucceeded(done)
        return json.loads(done.err.splitlines()[-1])

    def test_adaptive_is_the_default(self):
        for options in ((), ("--engine", "auto"), ("--engine", "adaptive")):
            summary = self.summary(*options)
            self.assertEqual((summary["engine"], summary["why_this_engine"]), ("adaptive", None))
            self.assertEqual(self.json("r.json")["engine"], "adaptive")

    def test_ptrace_where_it_is_named(self):
        summary = self.summary("--engine", "ptrace")
        self.assertEqual((summary["engine"], summary["why_this_engine"]), ("ptrace", None))

    def test_what_needs_every_stop_takes_ptrace(self):
        for option in ("--count", "--until-exit"):
            with self.subTest(option):
                summary = self.summary(option, "--patience", "0")
                self.assertEqual((summary["engine"], summary["counts"]), ("ptrace", "exact"))
                self.assertTrue(summary["why_this_engine"].startswith("adaptive: "), summary)
                self.assertComplains(self.trace("--engine", "adaptive", option, "--", "touch", "ran"), "adaptive")
        self.assertNotIn("ran", self.files())

    def test_the_summary_says_why(self):
        done = self.trace("-o", "p.json", "--count", "--", "true")
        self.assertIn("engine ptrace (not adaptive: ", done.err)

    def test_a_filter_around_us_takes_ptrace(self):
        command = [harness.PROGRAM, "trace", "--json", "-o", "p.json"]
        done = self.run_natively(*command, "--", "true", preexec_fn=allow_everything)
        self.assertSucceeded(done)
        summary = json.loads(done.err.splitlines()[-1])
        self.assertEqual(summary["engine"], "ptrace")
        self.assertIn("seccomp filter around callcensus", summary["why_this_engine"])
        self.assertComplains(self.run_natively(*command, "--engine", "adaptive", "--", "true",
                                               preexec_fn=allow_everything), "seccomp filter around callcensus")

    def test_exact_until_a_process_runs_freely(self):
        self.assertEqual(self.summary()["counts"], "exact")
        self.assertEqual(self.json("r.json")["counts"], "exact")
        self.assertTrue(all("unfinished" in call for call in self.json("r.json")["calls"]))
        self.assertEqual(self.summary("--patience", "0.1", command=python(HOT))["counts"], "at least")
        recording = self.json("r.json")
        self.assertEqual(recording["counts"], "at least")
        self.assertEqual([process["scope"] for process in recording["processes"]], ["tree"])
        self.assertFalse(any("unfinished" in call for call in recording["calls"]))
        self.assertLess(recorded(recording)["getppid"], CALLS)

    def test_calls_after_that_are_found(self):
        self.summary("--patience", "0.1", command=python(HOT + MARK))
        self.assertEqual(recorded(self.json("r.json"))[MARK_NAME], 1)

    def test_patience(self):
        counts = {}
        for patience in ("0", "0.1", "10"):
            self.summary("--patience", patience, command=python(HOT))
            counts[patience] = recorded(self.json("r.json"))["getppid"]
        self.assertEqual(counts["0"], CALLS)  # not known when the process is let run: each one stops
        self.assertLess(counts["0.1"], CALLS / 2)
        self.assertEqual(counts["10"], CALLS)
        for bad in ("-1", "soon", ""):
            self.assertComplains(self.trace(f"--patience={bad}", "--", "true"), "--patience")

    def test_the_summary_names_calls_that_became_frequent_too_late(self):
        late = HOT + "for _ in range(%d): os.getpgid(0)\n"
        note = r"(?m)^callcensus: note: getpgid stopped \d{4} times after \S*python\S* was released: .*--known FILE"
        traced = self.trace("--patience", "0.1", "-o", "p.json", "--", *python(late % 3000))
        self.assertRegex(traced.err, note)
        self.assertNotIn("getppid stopped", traced.err)
        self.assertNotIn("stopped", self.trace("--known", "p.json", "--", *python(late % 3000)).err)
        self.assertNotIn("stopped", self.trace("--patience", "0.1", "--", *python(late % 300)).err)
        notes = self.summary("--patience", "0.1", command=python(late % 3000))["notes"]
        self.assertTrue(notes[0].startswith("getpgid stopped "), notes)

    def test_the_summary_names_programs_that_load_a_filter_of_their_own(self):
        own = "import ctypes\n" + LOADING + "import os\nallow_everything()\nfor _ in range(%d): os.getpgid(0)\n"
        note = r"(?m)^callcensus: note: \S*python\S* stopped at each of (\d+) calls, since a seccomp filter"
        traced = self.trace("-o", "p.json", "--", *python(own % 3000))
        self.assertRegex(traced.err, note)
        self.assertGreaterEqual(int(re.search(note, traced.err)[1]), 3000)
        self.assertNotIn("stopped at each", self.trace("--", *python(own % 300)).err)
        self.assertNotIn("stopped at each", self.trace("--engine", "ptrace", "--", *python(own % 3000)).err)
        verified = self.run_natively(harness.PROGRAM, "verify", "p.json", "--", *python(own % 3000))
        self.assertRegex(verified.err, note)

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
        self.assertEqual(done.status, 0)
        self.assertIn("stopped", done.out)
        self.assertIn(MARK_NAME, observed(self.json("p.json")))
        self.assertEqual(json.loads(done.err.splitlines()[-1])["let_go"], 0)


class ChoosingAsNobody(harness.AsNobody, Choosing):
    pass


class Privileges(harness.Case):
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
        self.assertSucceeded(done)
        return done.out.strip(), json.loads(done.err.splitlines()[-1])["notes"]

    @needs_root
    def test_lost_by_no_new_privs_and_said(self):
        user, notes = self.traced()
        self.assertEqual(user, "65534")
        self.assertTrue(any("id-as-root" in note and "--keep-privileges" in note for note in notes), notes)

    @needs_root
    def test_kept(self):
        for options in (("--keep-privileges",), ("--engine", "ptrace")):
            with self.subTest(options):
                user, notes = self.traced(*options)
                self.assertEqual((user, notes), ("0", []))


class Selecting(harness.Case):
    SCRIPT = "ls / >/dev/null; " + " ".join(python("'import os; " + MARK + "'")) + "; uname >/dev/null"

    def sets(self, *options, names=("ls", "uname", "dash")):
        """The observed calls of each executable, by --split."""
        self.assertSucceeded(self.trace("--split", *options, "-o", "p.json", "--", "dash", "-c", self.SCRIPT))
        return {name: observed(self.json(f"p.{name}.json")) for name in names}

    def test_split(self):
        sets = self.sets()
        self.assertIn("uname", sets["uname"])
        self.assertNotIn("uname", sets["ls"])
        self.assertIn("getdents64", sets["ls"])
        self.assertNotIn("getdents64", sets["dash"])
        self.assertNotIn("p.json", self.files())
        comment = self.json("p.ls.json")["syscalls"][0]["comment"]
        self.assertEqual(comment, "observed in ls while tracing dash")

    def test_every_engine_finds_the_same_sets(self):
        by_ptrace = self.sets("--engine", "ptrace")
        for patience in ("0", "0.1", "1"):
            with self.subTest(patience=patience):
                self.assertEqual(self.sets("--engine", "adaptive", "--patience", patience), by_ptrace)

    def test_only_and_exclude(self):
        sets = self.sets()
        for options, expected in (
                (["--only", "ls"], sets["ls"]),
                (["--only", "*/ls"], sets["ls"]),
                (["--only", "ls", "--only", "uname"], sets["ls"] | sets["uname"]),
                (["--exclude", "ls", "--exclude", "python*"], sets["dash"] | sets["uname"]),
                (["--only", "[lu]*", "--exclude", "u*"], sets["ls"])):
            with self.subTest(options=options):
                self.assertSucceeded(self.trace(*options, "-o", "p.json", "--recording", "r.json", "--", "dash", "-c",
                                                self.SCRIPT))
                self.assertEqual(observed(self.json("p.json")), expected)
                self.assertSucceeded(self.callcensus("derive", *options, "r.json", "-o", "d.json"))
                self.assertEqual(self.json("d.json"), self.json("p.json"))

    def test_nobody_selected(self):
        done = self.trace("--only", "nginx", "-o", "p.json", "--", "true")
        self.assertSucceeded(done)
        self.assertIn("warning: no executable that was recorded is selected", done.err)

    def test_same_name_twice(self):
        for folder in ("one", "two"):
            os.mkdir(self.path(folder))
            shutil.copy(shutil.which("true"), self.path(folder) / "tool")
            os.chmod(self.path(folder), 0o755)
        self.assertSucceeded(self.trace("--split", "-o", "p.json", "--", "sh", "-c", "one/tool; two/tool"))
        named = [name for name in self.files() if name.endswith("tool.json")]
        self.assertEqual(len(named), 2, self.files())
        self.assertTrue(any("one-tool" in name for name in named), named)

    def test_names_that_become_the_same(self):
        # The same last part, and the same whole path once slashes have become dashes.
        tools = ("a-b/tool", "a/b/tool")
        for tool in tools:
            os.makedirs(self.path(tool).parent, mode=0o755)
            shutil.copy(shutil.which("true"), self.path(tool))
        self.assertSucceeded(self.trace("--split", "-o", "p.json", "--", "sh", "-c", "; ".join(tools)))
        named = [name for name in self.files() if "tool" in name]
        self.assertEqual(len(named), 2, self.files())

    def test_a_recording_of_the_tree_is_refused(self):
        self.assertSucceeded(self.trace("--patience", "0.1", "--recording", "r.json", "-o", "p.json", "--", *python(HOT)))
        for options in (("--only", "ls"), ("--exclude", "ls"), ("--split",)):
            self.assertComplains(self.callcensus("derive", *options, "r.json", "-o", "d.json"), "r.json", "--only")
        self.assertNotIn("d.json", self.files())

    def test_split_needs_a_file(self):
        self.assertComplains(self.trace("--split", "-o", "-", "--", "touch", "ran"), "--split")
        self.assertNotIn("ran", self.files())


class SelectingAsNobody(harness.AsNobody, Selecting):
    pass


class Known(harness.Case):
    def setUp(self):
        super().setUp()
        self.assertSucceeded(self.trace("--recording", "r1.json", "-o", "p1.json", "--", "ls", "/"))

    def again(self, known, *command):
        done = self.trace("--known", known, "--recording", "r2.json", "-o", "p2.json", "--", *command)
        self.assertSucceeded(done)
        return done, self.json("r2.json"), self.json("p2.json")

    def test_runs_freely_from_the_start(self):
        for known in ("r1.json", "p1.json"):
            with self.subTest(known):
                done, recording, profile = self.again(known, "ls", "/")
                self.assertEqual(recording["counts"], "at least")
                self.assertLess(len(recording["calls"]), 5)
                self.assertIn("known beforehand and not looked for", done.err)
                first = {name for rule in self.json("p1.json")["syscalls"] for name in rule["names"]}
                second = {name for rule in profile["syscalls"] for name in rule["names"]}
                self.assertEqual(second, first)
                assumed = [rule for rule in profile["syscalls"] if rule["comment"].startswith("known from")]
                self.assertEqual(len(assumed), 1)
                if known == "r1.json":
                    before = {(call["abi"], call["number"]) for call in self.json("r1.json")["calls"]}
                    seen = {(call["abi"], call["number"]) for call in recording["calls"]}
                    self.assertEqual({(call["abi"], call["number"]) for call in recording["assumed"]}, before - seen)

    def test_what_is_not_known_is_found(self):
        _, recording, profile = self.again("r1.json", *python("import os; " + MARK))
        self.assertEqual(recorded(recording)[MARK_NAME], 1)
        self.assertIn(MARK_NAME, observed(profile))

    def test_left_out_on_request(self):
        for option in ("--no-known", "--observed-only"):
            self.assertSucceeded(self.trace("--known", "r1.json", option, "-o", "p2.json", "--", "ls", "/"))
            rules = self.json("p2.json")["syscalls"]
            self.assertFalse(any(rule["comment"].startswith("known from") for rule in rules))

    def test_a_chain_of_runs(self):
        self.again("r1.json", *python("import os; " + MARK))
        os.rename(self.path("r2.json"), self.path("r1.json"))
        _, recording, _ = self.again("r1.json", *python("import os; " + MARK))
        self.assertNotIn(MARK_NAME, recorded(recording))
        self.assertIn(MARK_NAME, {call.get("name") for call in recording["assumed"]})

    def test_what_cannot_be_read(self):
        self.write("bad.json", "{")
        for known, fragment in (("none.json", "none.json"), ("bad.json", "bad.json:1:")):
            self.assertComplains(self.trace("--known", known, "--", "touch", "ran"), fragment)
        self.assertNotIn("ran", self.files())


class KnownAsNobody(harness.AsNobody, Known):
    pass


if __name__ == "__main__":
    harness.main()
