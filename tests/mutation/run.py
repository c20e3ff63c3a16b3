"""Break each rule of the SQL, one at a time: a test must fail for every one of them.

    python tests/mutation/run.py [--only TEXT] [--list]

Works on a copy of the package in a temporary folder; nothing here is edited. Prints one line a mutation and the counts;
exits with 1 where a broken rule goes unnoticed, and with 2 where a mutation no longer finds its text.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from table import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]


def broken(folder: Path, mutation: Mutation) -> bool:
    """Whether the mutation's text stood in its file exactly as named, and was replaced in the copy."""
    path = folder / "workbench" / mutation.file
    text = path.read_text()
    if mutation.find not in text:
        return False
    path.write_text(text.replace(mutation.find, mutation.replace, 1))
    return True


def is_killed(folder: Path, mutation: Mutation) -> bool:
    """Whether a test fails on the broken copy."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", *mutation.tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), "GUARDIAN_EXAMPLES": "40"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1):
        raise SystemExit(f"The tests could not run: {ended.stdout[-800:]}{ended.stderr[-800:]}")
    return ended.returncode == 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="Only mutations whose file or description holds this text.")
    parser.add_argument("--list", action="store_true", help="Only check that every mutation still finds its text.")
    chosen = parser.parse_args()
    counts = {"killed": 0, "SURVIVED": 0, "TEXT NOT FOUND": 0}
    for mutation in MUTATIONS:
        if chosen.only not in f"{mutation.file} {mutation.breaks}":
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(ROOT / "workbench", folder / "workbench", ignore=shutil.ignore_patterns("__pycache__"))
            if not broken(folder, mutation):
                verdict = "TEXT NOT FOUND"
            elif chosen.list:
                continue
            else:
                verdict = "killed" if is_killed(folder, mutation) else "SURVIVED"
        counts[verdict] += 1
        print(f"{verdict:<15} {mutation.file:<40} {mutation.breaks}", flush=True)
    print(", ".join(f"{count} {verdict.lower()}" for verdict, count in counts.items()))
    return 2 if counts["TEXT NOT FOUND"] else int(counts["SURVIVED"] > 0)


if __name__ == "__main__":
    sys.exit(main())
