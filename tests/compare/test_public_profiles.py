"""Profiles as their projects publish them: each is shown, converted to every format that can hold it and back,
compared and merged with itself, and nothing changes.

They are read from the folder that CALLCENSUS_PUBLIC_PROFILES names, by default ../shared/profiles beside the
repository; without it the tests are skipped.
"""

import os
import pathlib

import pytest

import harness

PROFILES = pathlib.Path(os.environ.get("CALLCENSUS_PUBLIC_PROFILES",
                                       harness.REPOSITORY.parent / "shared/profiles"))
READABLE = ("oci", "docker", "spo", "systemd", "minijail")
FILES = sorted(path for path in PROFILES.rglob("*")
               if path.suffix in (".json", ".yaml", ".policy", ".service", ".conf"))


def name_of(path):
    return str(path.relative_to(PROFILES))


@pytest.mark.skipif(not PROFILES.is_dir(), reason=f"{PROFILES} is not there")
class TestPublicProfiles(harness.Case):
    def same(self, old, new, what):
        for options in ((), ("--conditions",)):
            done = self.callcensus("diff", *options, str(old), str(new))
            assert done.status == 0, f"{what} {options}"

    def is_read(self, path):
        """Whether the file is one profile; of several one would have to be chosen."""
        shown = self.callcensus("show", str(path))
        if shown.status != 0:
            assert len([line for line in shown.err.splitlines() if "note: " not in line]) == 1
            assert shown.err.splitlines()[-1].startswith("callcensus: ")
            return False
        return self.callcensus("convert", str(path), "--to", "oci").status == 0

    @pytest.mark.parametrize("path", FILES, ids=name_of)
    def test_each(self, path):
        if not self.is_read(path):
            return
        assert self.callcensus("lint", str(path)).status < 3
        self.same(path, path, "itself")
        for kind in ((), ("--intersect",)):
            merged = str(self.path("merged.json"))
            done = self.callcensus("merge", *kind, str(path), str(path), "-q", "-o", merged)
            assert done.status == 0
            self.same(path, merged, f"merge {kind}")
        for name in READABLE:
            written = str(self.path(f"p.{name}"))
            if self.callcensus("convert", str(path), "--to", name, "-o", written).status == 0:
                self.same(path, written, name)

    def test_some_are_read(self):
        assert any(self.is_read(path) for path in FILES)
