#!/usr/bin/env python3
"""`callcensus show`: profiles and recordings as tables and JSON, colours only where a terminal wants them."""

import json

import harness


class Show(harness.Case):
    """With a profile and a recording of a real run."""

    def setUp(self):
        super().setUp()
        self.assertSucceeded(
            self.trace("-q", "--recording", "r.json", "-o", "p.json", "--engine", "ptrace", "--",
                       "sh", "-c", "cat missing || true"))

    def show(self, *arguments, **options):
        return self.callcensus("show", *arguments, **options)

    def test_profile(self):
        done = self.show("p.json")
        self.assertSucceeded(done)
        self.assertRegex(done.out, r"(?m)^allowed, observed while tracing sh: \d+$")
        self.assertRegex(done.out, r"(?m)^allowed, container runtimes .*: \d+$")
        self.assertRegex(done.out, r"(?m)^  openat$")
        self.assertNotIn("\x1b", done.out)

    def test_recording_tells_who_and_how_often(self):
        done = self.show("r.json")
        self.assertSucceeded(done)
        counts = harness.recorded(self.json("r.json"))
        self.assertRegex(done.out, rf"(?m)^  openat +{counts['openat']} +ENOENT \d+ .*cat")

    def test_everything_is_shown_once(self):
        shown = json.loads(self.show("--json", "p.json").out)
        names = sorted(name for rule in self.json("p.json")["syscalls"] for name in rule["names"])
        self.assertEqual(sorted(call["call"] for call in shown["calls"]), names)
        both = json.loads(self.show("--json", "p.json", "r.json").out)
        self.assertEqual([one["file"] for one in both], ["p.json", "r.json"])

    def test_sorted_by_risk(self):
        profile = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            {"names": ["access", "bpf", "setns", "write"], "action": "SCMP_ACT_ALLOW"}]}
        done = self.show("--sort", "risk", "-", stdin=json.dumps(profile).encode())
        self.assertSucceeded(done)
        order = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")]
        self.assertEqual(order[-4:], ["bpf", "setns", "access", "write"], done.out)
        self.assertIn("standard input", done.out)

    def colours(self, **changes):
        self.write("risky.json", json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            {"names": ["bpf"], "action": "SCMP_ACT_ALLOW"}]}))
        terminal = harness.Terminal(self, [harness.PROGRAM, "show", "risky.json"],
                                    env=self.environment(**changes))
        self.assertEqual(terminal.end(), 0)
        return b"\x1b[31m" in terminal.output

    def test_colours_on_a_terminal_only_where_wanted(self):
        self.assertTrue(self.colours(TERM="xterm", NO_COLOR=None))
        self.assertTrue(self.colours(TERM="xterm", NO_COLOR=""))
        self.assertFalse(self.colours(TERM="xterm", NO_COLOR="1"))
        self.assertFalse(self.colours(TERM="dumb", NO_COLOR=None))

    def test_bad_input(self):
        self.write("bad.json", '{"defaultAction": 1}')
        self.assertComplains(self.show("bad.json"), "bad.json:1:19:")
        self.assertComplains(self.show("missing.json"), "missing.json")
        self.assertComplains(self.show("-", "-"), "standard input")


class ShowAsNobody(harness.AsNobody, Show):
    pass


if __name__ == "__main__":
    harness.main()
