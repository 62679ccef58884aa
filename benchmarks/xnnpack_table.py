"""The table of XNNPACK's operators, made by asking LiteRT: one file an operator, form and type.

Is the operator a delegate's kernel once the file is loaded? Each version of LiteRT is asked in a
virtual environment of its own, the installed one where it is. Writes
ghostdeploy/linting/delegates/xnnpack.csv: yes (XNNPACK takes it), no (TFLite's builtin kernels
run it), - (they have no such kernel either: the file is refused), empty (there is no such form).
Run: python benchmarks/xnnpack_table.py [VERSION…] (seconds a version; 2.1.0 and 2.3.0 if none)
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from one_operator_files import CASES, ask, make

from ghostdeploy.files import write_atomic
from ghostdeploy.linting.delegates.xnnpack import TABLE_FILE, TYPES
from ghostdeploy.linting.needed_versions import HYBRID, WEIGHTED

ROOT = Path(__file__).parent.parent
VERSIONS = ("2.1.0", "2.3.0")
PACKAGE = "ai-edge-litert"
COLUMNS = ("litert", "operator", "form", *TYPES)


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the rows of the LiteRT of this process."""
    for operator, form in sorted(CASES):
        types = [t for t in TYPES if t != HYBRID or operator in WEIGHTED]
        said = {dtype: ask(make(operator, form, dtype)) for dtype in types}
        yield version(PACKAGE), operator, form, *(said.get(dtype, "") for dtype in TYPES)


def rows_of(wanted: str, folder: Path) -> list[list[str]]:
    """Return the rows of a version of LiteRT, which is installed into ``folder`` if need be."""
    python = Path(sys.executable)
    if version(PACKAGE) != wanted:
        venv.create(folder / wanted, with_pip=True)
        python = folder / wanted / "bin" / "python"
        packages = (f"{PACKAGE}=={wanted}", "flatbuffers", "numpy")
        install = [python, "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(install, check=True)
    asked = subprocess.run(
        [python, __file__, "--ask"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return list(csv.reader(io.StringIO(asked.stdout)))


def main(versions: tuple[str, ...]) -> None:
    """Write the table of ``versions``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        for wanted in versions:
            found = rows_of(wanted, Path(folder))
            writer.writerows(found)
            print(f"LiteRT {wanted}: {len(found)} rows")
    write_atomic(TABLE_FILE, out.getvalue().encode())
    print(f"wrote {TABLE_FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--ask"]:
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows())
    else:
        main(tuple(sys.argv[1:]) or VERSIONS)
