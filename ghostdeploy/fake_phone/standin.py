"""The stand-in for benchmark_model as one executable file, as a phone needs it."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).with_name("benchmark_model")
PACKAGE = "ghostdeploy/fake_phone/benchmark_model"


def write_standin(path: Path) -> Path:
    """Write the stand-in for benchmark_model as a program that these phones can execute.

    It is a zip file behind a ``#!`` line, as the standard library's zipapp makes them, and always
    the same bytes: the entries have zip's earliest date.
    """
    with path.open("wb") as file:
        file.write(f"#!{sys.executable}\n".encode())
        with zipfile.ZipFile(file, "w") as archive:
            for name, source in _members().items():
                archive.writestr(zipfile.ZipInfo(name), source)
    path.chmod(0o755)
    return path


def _members() -> dict[str, str]:
    """Name in the zip → source: what Python runs, empty packages, and the modules in the last."""
    first, second, _ = PACKAGE.split("/")
    sources = {file.name: file.read_text("utf-8") for file in sorted(SOURCE.glob("*.py"))}
    main = sources.pop("__main__.py")
    empty = {f"{first}/__init__.py": "", f"{first}/{second}/__init__.py": ""}
    return {"__main__.py": main, **empty, **{f"{PACKAGE}/{n}": s for n, s in sources.items()}}
