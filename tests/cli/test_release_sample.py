"""samples/release: a release that newly opens a socket and calls io_uring is stopped, with the reasons."""

import re

import harness

SAMPLE = harness.REPOSITORY / "samples/release"


@harness.needs("cc")
class TestReleaseSample(harness.Case):
    def set_up(self):
        super().set_up()
        for release in ("reader-1", "reader-2"):
            self.assert_succeeded(self.run_natively("cc", "-Wall", "-Wextra", "-Werror", "-o", release,
                                                   str(SAMPLE / f"{release}.c")))
        self.write("data", "x" * 5000)

    def check(self, *arguments, **changes):
        return self.run_natively(str(SAMPLE / "check-release.sh"), *arguments,
                                 env=self.environment(**{"CALLCENSUS": harness.PROGRAM, **changes}))

    def test_the_second_release_is_stopped(self):
        done = self.check("./reader-1", "./reader-2", "data")
        assert (done.status, done.err) == (1, "5000 bytes\n5000 bytes\n")
        assert done.out.startswith("### System calls: old.json → new.json\n")
        rows = dict(re.findall(r"(?m)^\| `(\w+)` \(\w+\) (\| newly called \|.*)$", done.out))
        assert rows.keys() == {"socket", "io_uring_setup"}
        assert "| ordinary |" in rows["socket"]
        assert "| **dangerous** | makes calls inside the kernel" in rows["io_uring_setup"]
        # As Markdown wants its underscores.
        executable = str(self.path("reader-2")).replace("_", r"\_")
        for call, function in (("socket", "socket"), ("io_uring_setup", "syscall")):
            assert f"{executable}, 1 time; at libc.so.6 ({function}) |" in rows[call]
        assert self.files() == ["data", "reader-1", "reader-2"]

    def test_the_same_release_passes(self):
        for release in ("./reader-1", "./reader-2"):
            done = self.check(release, release, "data")
            assert done.status == 0
            assert "**no difference in what is called**" in done.out

    def test_going_back_is_not_risky(self):
        done = self.check("./reader-2", "./reader-1", "data")
        assert done.status == 0
        assert "| `io_uring_setup` (" in done.out
        assert "no longer called" in done.out

    def test_trouble_is_told_apart(self):
        for arguments, said in (((), "usage: "), (("./reader-1",), "usage: "),
                                (("./reader-1", "./reader-3"), "./reader-3"),
                                (("./reader-1", "./reader-2", "nothing"), "./reader-1 failed with status 1")):
            done = self.check(*arguments)
            assert (done.status, done.out) == (2, "")
            assert said in done.err
        done = self.check("./reader-1", "./reader-2", CALLCENSUS="./callcensus")
        assert (done.status, done.out) == (2, "")
        assert "there is no ./callcensus" in done.err
