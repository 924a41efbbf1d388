#!/usr/bin/env python3
"""Profiles as their projects publish them: each is shown, converted to every format that can hold it and back,
compared and merged with itself, and nothing changes.

They are read from the folder that CALLCENSUS_PUBLIC_PROFILES names, by default ../shared/profiles beside the
repository; without it the test is skipped.
"""

import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

import harness  # noqa: E402

PROFILES = pathlib.Path(os.environ.get("CALLCENSUS_PUBLIC_PROFILES",
                                       harness.REPOSITORY.parent / "shared/profiles"))
READABLE = ("oci", "docker", "spo", "systemd", "minijail")


@unittest.skipUnless(PROFILES.is_dir(), f"{PROFILES} is not there")
class PublicProfiles(harness.Case):
    def files(self):
        return sorted(path for path in PROFILES.rglob("*")
                      if path.suffix in (".json", ".yaml", ".policy", ".service", ".conf"))

    def same(self, old, new, what):
        for options in ((), ("--conditions",)):
            done = self.callcensus("diff", *options, str(old), str(new))
            self.assertEqual(done.status, 0, f"{what} {options}: {done.out}{done.err}")

    def test_each(self):
        read = 0
        for path in self.files():
            shown = self.callcensus("show", str(path))
            if shown.status != 0:
                self.assertEqual(len([line for line in shown.err.splitlines() if "note: " not in line]), 1, shown)
                self.assertTrue(shown.err.splitlines()[-1].startswith("callcensus: "), shown)
                continue
            if self.callcensus("convert", str(path), "--to", "oci").status != 0:
                continue  # of several profiles one would have to be chosen
            read += 1
            with self.subTest(profile=path.name), tempfile.TemporaryDirectory() as folder:
                self.assertLess(self.callcensus("lint", str(path)).status, 3)
                self.same(path, path, "itself")
                for kind in ((), ("--intersect",)):
                    merged = os.path.join(folder, "merged.json")
                    done = self.callcensus("merge", *kind, str(path), str(path), "-q", "-o", merged)
                    self.assertEqual(done.status, 0, done)
                    self.same(path, merged, f"merge {kind}")
                for name in READABLE:
                    written = os.path.join(folder, f"p.{name}")
                    if self.callcensus("convert", str(path), "--to", name, "-o", written).status == 0:
                        self.same(path, written, name)
        self.assertGreater(read, 0)


if __name__ == "__main__":
    harness.main()
