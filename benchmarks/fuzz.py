"""Feed damaged files to every command that reads them; any outcome but a sound exit code fails.

    python benchmarks/fuzz.py [--count 20000] [--seed N] [--kind KIND] [--keep FOLDER] [--quick]

Each mutant of a sound file (``fuzz_subjects.py``, ``fuzz_mutations.py``) goes through one command,
in a forked process of its own, by the command line's own ``main``. It fails on exit code 4, a
traceback, death by a signal, control characters in what is printed, more than 20 s of CPU, more
than 1 GB of memory, or no end within 2 minutes. Exit codes by kind are printed, and each failing
mutant is kept in a folder with the command that shows it, as small a change as is found. Without
--seed it is a fresh one, which is printed. --quick leaves out exported networks and slow commands.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pkgutil
import random
import re
import resource
import secrets
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fuzz_subjects import ROOT, SHARES, Subject, make_subjects

import ghostdeploy

CPU_S, MEMORY_KB, WALL_S = 20, 1_000_000, 120.0
# What a sound file takes by itself: verify exports its network with torch again.
SOUND_CPU_S = {"verify": 40}
ADDRESS_SPACE_BYTES = 4_000_000_000  # beyond what the parent has: nothing takes the machine down
SHOWN = 400
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
OUTPUT_BYTES = 5_000_000
SHRINK_TRIES = 60
# What is imported before forking; the commands import it anyway.
PRELOADED = (
    "ghostdeploy.cli.app",
    "numpy",
    "onnx",
    "onnxruntime",
    "ai_edge_litert.interpreter",
    "ai_edge_litert.schema_py_generated",
    "matplotlib.pyplot",
    "jinja2",
    "PIL.Image",
)


@dataclass(frozen=True)
class Mutant:
    """One damaged file and the command that reads it; ``number`` and the seed make it again."""

    number: int
    subject: Subject
    words: str
    data: bytes

    @property
    def cpu_s(self) -> int:
        """The CPU time that its command may take."""
        return CPU_S + SOUND_CPU_S.get(self.words.split()[0], 0)


@dataclass(frozen=True)
class Outcome:
    """How a command ended. ``failure`` says what must not be, "" for nothing."""

    code: int
    output: bytes
    cpu_s: float
    memory_kb: int
    wall_s: float
    failure: str

    @property
    def name(self) -> str:
        """The exit code, or the failure."""
        return self.failure or str(self.code)


def make_mutant(seed: str, number: int, subjects: list[Subject]) -> Mutant:
    """Return mutant ``number`` of a seed."""
    source = random.Random(f"{seed}/{number}")
    kinds = sorted({subject.kind for subject in subjects})
    (kind,) = source.choices(kinds, [SHARES[kind] for kind in kinds])
    subject = source.choice([subject for subject in subjects if subject.kind == kind])
    (words,) = source.choices(list(subject.commands), list(subject.commands.values()))
    sound = (subject.folder / subject.target).read_bytes()
    return Mutant(number, subject, words, subject.mutate(source, sound))


def run_mutant(mutant: Mutant) -> Outcome:
    """Run its command in a forked process and a fresh folder, and judge how that ended."""
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        work, log = folder / "work", folder / "log"
        shutil.copytree(mutant.subject.folder, work)
        (work / mutant.subject.target).write_bytes(mutant.data)
        begun, pid = time.monotonic(), os.fork()
        if pid == 0:
            _become(mutant, work, log)
        status, usage, in_time = _wait(pid)
        wall_s = time.monotonic() - begun
        output = _read_start(log) if log.exists() else b""
        code = os.waitstatus_to_exitcode(status)
        cpu_s = usage.ru_utime + usage.ru_stime
        late = code == -signal.SIGXCPU or cpu_s > mutant.cpu_s
        failure = "CPU" if late else _judge(code, output, usage.ru_maxrss) if in_time else "no end"
        return Outcome(code, output, cpu_s, usage.ru_maxrss, wall_s, failure)


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(OUTPUT_BYTES)


def _judge(code: int, output: bytes, memory_kb: int) -> str:
    if code < 0:
        return signal.Signals(-code).name
    if b"Traceback (most recent call last)" in output:
        return "traceback"
    if memory_kb > MEMORY_KB:
        return "memory"
    if code not in (0, 1, 2, 3):
        return f"exit {code}"
    return "control characters" if CONTROL.search(output) else ""


def _wait(pid: int) -> tuple[int, resource.struct_rusage, bool]:
    """Wait for a process and end all that it left in its session."""
    descriptor = os.pidfd_open(pid)
    try:
        in_time = bool(select.select([descriptor], [], [], WALL_S)[0])
    finally:
        os.close(descriptor)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    return status, usage, in_time


def _become(mutant: Mutant, work: Path, log: Path) -> None:
    """Turn this forked process into the command; never returns."""
    code = 70
    try:
        os.setsid()
        os.chdir(work)
        _redirect(log)
        _limit(mutant.cpu_s)
        home = {"HOME": str(work), "TMPDIR": str(work), "XDG_CACHE_HOME": str(work / "cache")}
        os.environ.update(home, PYTHONPATH=str(ROOT))
        tempfile.tempdir = None
        if mutant.subject.served:
            _serve(work, mutant.subject.target)
        sys.argv = ["ghostdeploy", *mutant.words.split()]
        code = _run_main()
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _redirect(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    empty = os.open(os.devnull, os.O_RDONLY)
    for number, source in enumerate((empty, descriptor, descriptor)):
        os.dup2(source, number)
    sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w")
    sys.stderr.reconfigure(errors="backslashreplace")


def _limit(cpu_s: int) -> None:
    """Bound CPU and memory, of this process and each that it starts."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + ADDRESS_SPACE_BYTES
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _run_main() -> int:
    from ghostdeploy.cli.app import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))


def _serve(work: Path, target: str) -> None:
    """Send the file to whoever connects, whatever is asked; URL in b.json becomes the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    answer = (work / target).read_bytes().replace(b"URL", url.encode())
    baseline = work / "b.json"
    baseline.write_text(baseline.read_text().replace("URL", url))

    def answer_all() -> None:
        while True:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError), connection:
                connection.recv(4096)
                connection.sendall(answer)

    threading.Thread(target=answer_all, daemon=True).start()


def shrink(mutant: Mutant, failure: str) -> Mutant:
    """Take back what of the change does not matter, in halves; only where the size is the same."""
    sound = (mutant.subject.folder / mutant.subject.target).read_bytes()
    if len(sound) != len(mutant.data):
        return mutant
    best, tries = mutant, 0
    places = [
        n for n, pair in enumerate(zip(sound, mutant.data, strict=True)) if len(set(pair)) > 1
    ]
    size = len(places)
    while size > 1 and tries < SHRINK_TRIES:
        size = (size + 1) // 2
        for start in range(0, len(places), size):
            smaller = bytearray(best.data)
            for place in places[start : start + size]:
                smaller[place] = sound[place]
            tries += 1
            candidate = Mutant(mutant.number, mutant.subject, mutant.words, bytes(smaller))
            if bytes(smaller) != best.data and run_mutant(candidate).failure == failure:
                best = candidate
    return best


def keep(mutant: Mutant, outcome: Outcome, seed: str, folder: Path) -> None:
    """Keep the failing mutant's whole folder, with the command that shows it and what it said."""
    kept = folder / f"{outcome.failure.replace(' ', '-')}-{mutant.subject.kind}-{mutant.number}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(mutant.subject.folder, kept)
    (kept / mutant.subject.target).write_bytes(mutant.data)
    command = f"cd {kept} && {sys.executable} -m ghostdeploy {mutant.words}\n"
    made = f"# --seed {seed}, mutant {mutant.number}\n"
    (kept / "COMMAND").write_text(made + command)
    (kept / "OUTPUT").write_bytes(outcome.output)


def fuzz(
    numbers: range, seed: str, subjects: list[Subject], kept: Path
) -> Iterator[tuple[Mutant, Outcome]]:
    """Run mutants and keep those that fail."""
    for number in numbers:
        mutant = make_mutant(seed, number, subjects)
        outcome = run_mutant(mutant)
        if outcome.failure:
            smallest = shrink(mutant, outcome.failure) if outcome.wall_s < 5 else mutant
            keep(smallest, outcome, seed, kept)
        yield mutant, outcome


def find_unsound(subjects: list[Subject]) -> Iterator[str]:
    """Find sound files that a command refuses: their mutants would show nothing.

    What is served over HTTP may be an error of the server.
    """
    for subject in subjects:
        words = next(iter(subject.commands))
        sound = (subject.folder / subject.target).read_bytes()
        outcome = run_mutant(Mutant(-1, subject, words, sound))
        if subject.kind != "http" and (outcome.failure or outcome.code == 2):
            last = outcome.output.decode(errors="replace").strip().rpartition("\n")[2]
            said = outcome.failure or last
            yield f"{subject.folder.name}/{subject.target}: {words}: {said}"


def _import_first(quick: bool) -> None:
    """Import whatever a command imports, once for all that are forked."""
    for module in (*PRELOADED, *(() if quick else ("torch",))):
        __import__(module)
    for found in pkgutil.walk_packages(ghostdeploy.__path__, "ghostdeploy."):
        if not found.name.endswith("__main__"):
            __import__(found.name)


def describe(counts: dict[str, Counter[str]], busiest: float, largest_kb: int) -> str:
    """Return a table of exit codes and failures by kind."""
    names = sorted({name for counter in counts.values() for name in counter})
    rows = [("kind", *names, "all")]
    for kind, counter in sorted(counts.items()):
        rows.append((kind, *(str(counter[name]) for name in names), str(counter.total())))
    whole = sum(counts.values(), Counter())
    rows.append(("all", *(str(whole[name]) for name in names), str(whole.total())))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    most = f"most CPU {busiest:.1f} s, most memory {largest_kb / 1e6:.2f} GB"
    return "\n".join([*lines, most])


def main() -> int:
    """Run the mutants and tell what came of them; 1 where any failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000, help="number of mutants")
    parser.add_argument("--seed", default="", help="seed of all chance; a fresh one by default")
    parser.add_argument("--kind", action="append", help="only this kind; may be repeated")
    parser.add_argument("--keep", type=Path, help="folder for failing mutants")
    parser.add_argument("--quick", action="store_true", help="leave out what takes seconds")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    options = parser.parse_args()
    seed = options.seed or secrets.token_hex(4)
    kept = options.keep or Path(tempfile.gettempdir()) / f"fuzz-{seed}"
    print(f"seed {seed}; failing mutants: {kept}", flush=True)
    _import_first(options.quick)
    with tempfile.TemporaryDirectory(prefix="fuzz-sound-") as folder:
        subjects = make_subjects(Path(folder), quick=options.quick)
        wanted = [s for s in subjects if not options.kind or s.kind in options.kind]
        if refused := list(find_unsound(wanted)):
            print("refused as they are: " + "; ".join(refused))
            return 2
        numbers = range(options.first, options.first + options.count)
        return run_all(numbers, seed, wanted, kept)


def run_all(numbers: range, seed: str, subjects: list[Subject], kept: Path) -> int:
    """Run mutants, print each failure as it comes and the table; 1 for any failure."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    begun, busiest, largest, bad = time.monotonic(), 0.0, 0, 0
    spent: Counter[str] = Counter()
    cpu_s = 0.0
    for mutant, outcome in fuzz(numbers, seed, subjects, kept):
        kind = mutant.subject.kind
        counts[kind][outcome.name] += 1
        cpu_s += outcome.cpu_s
        busiest, largest = max(busiest, outcome.cpu_s), max(largest, outcome.memory_kb)
        spent[f"{kind} {mutant.words.split()[0]}"] += outcome.wall_s
        if outcome.failure:
            bad += 1
            last = outcome.output.decode(errors="replace").strip().splitlines()[-3:]
            told = " / ".join(last)[-SHOWN:].encode("ascii", "backslashreplace").decode()
            print(
                f"{mutant.number} {kind}: {outcome.failure}: {mutant.words}\n   {told}", flush=True
            )
    print(describe(counts, busiest, largest))
    took = time.monotonic() - begun
    print(f"{len(numbers)} mutants in {took:.0f} s ({cpu_s:.0f} s of CPU), {bad} failed")
    print("seconds: " + ", ".join(f"{name} {s:.0f}" for name, s in spent.most_common(12)))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
