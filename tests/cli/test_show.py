"""`callcensus show`: profiles and recordings as tables and JSON, colours only where a terminal wants them."""

import json
import re

import harness


class TestShow(harness.Case):
    """With a profile and a recording of a real run."""

    def set_up(self):
        super().set_up()
        self.assert_succeeded(
            self.trace("-q", "--recording", "r.json", "-o", "p.json", "--engine", "ptrace", "--",
                       "sh", "-c", "cat missing || true"))

    def show(self, *arguments, **options):
        return self.callcensus("show", *arguments, **options)

    def test_profile(self):
        done = self.show("p.json")
        self.assert_succeeded(done)
        assert re.search(r"(?m)^allowed, observed while tracing sh: \d+$", done.out)
        assert re.search(r"(?m)^allowed, container runtimes .*: \d+$", done.out)
        assert re.search(r"(?m)^  openat$", done.out)
        assert "\x1b" not in done.out

    def test_recording_tells_who_and_how_often(self):
        done = self.show("r.json")
        self.assert_succeeded(done)
        counts = harness.recorded(self.json("r.json"))
        assert re.search(rf"(?m)^  openat +{counts['openat']} +ENOENT \d+ .*cat", done.out)

    def test_everything_is_shown_once(self):
        shown = json.loads(self.show("--json", "p.json").out)
        names = sorted(name for rule in self.json("p.json")["syscalls"] for name in rule["names"])
        assert sorted(call["call"] for call in shown["calls"]) == names
        both = json.loads(self.show("--json", "p.json", "r.json").out)
        assert [one["file"] for one in both] == ["p.json", "r.json"]

    def test_sorted_by_risk(self):
        profile = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            {"names": ["access", "bpf", "setns", "write"], "action": "SCMP_ACT_ALLOW"}]}
        done = self.show("--sort", "risk", "-", stdin=json.dumps(profile).encode())
        self.assert_succeeded(done)
        order = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")]
        assert order[-4:] == ["bpf", "setns", "access", "write"], done.out
        assert "standard input" in done.out

    def colours(self, **changes):
        self.write("risky.json", json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            {"names": ["bpf"], "action": "SCMP_ACT_ALLOW"}]}))
        terminal = harness.Terminal(self, [harness.PROGRAM, "show", "risky.json"],
                                    env=self.environment(**changes))
        assert terminal.end() == 0
        return b"\x1b[31m" in terminal.output

    def test_colours_on_a_terminal_only_where_wanted(self):
        assert self.colours(TERM="xterm", NO_COLOR=None)
        assert self.colours(TERM="xterm", NO_COLOR="")
        assert not self.colours(TERM="xterm", NO_COLOR="1")
        assert not self.colours(TERM="dumb", NO_COLOR=None)

    def test_bad_input(self):
        self.write("bad.json", '{"defaultAction": 1}')
        self.assert_complains(self.show("bad.json"), "bad.json:1:19:")
        self.assert_complains(self.show("missing.json"), "missing.json")
        self.assert_complains(self.show("-", "-"), "standard input")


class TestShowAsNobody(harness.AsNobody, TestShow):
    pass
