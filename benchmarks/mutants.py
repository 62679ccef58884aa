"""Would the tests notice? Small random changes to the code that decides, each with its own tests.

    python benchmarks/mutants.py [--count 400] [--seed 1] [--file PART] [--seconds 60]

A mutant is one changed comparison, sign, constant, truth value or branch of one file of TESTS. The
tests that mirror the file run on it, in a process that is forked where pytest and its friends are
imported already; commands that a test starts see the mutant too. Nothing in the tree is touched.
It prints the share that was noticed by file, and each survivor with its line, and exits with 1 if
fewer than NOTICED of those were noticed that EQUIVALENT does not explain.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTICED = 0.9
LOG, DEVICE = "tests/android_bench/log", "tests/android_bench/device"
LOGS = (
    f"{LOG}/test_complaints.py",
    f"{LOG}/test_result_block.py",
    f"{LOG}/test_formats.py",
    f"{LOG}/test_real_logs.py",
    f"{LOG}/test_properties.py",
)
EXITS = (
    "tests/cli/test_app.py",
    "tests/test_cli.py::test_exit_codes",
    "tests/test_cli.py::test_what_went_well_is_0_and_a_termination_143",
    "tests/test_cli.py::test_a_bug_leaves_a_log_with_the_traceback",
    "tests/test_cli.py::test_an_interruption_of_python_that_c_runs_is_130_too",
    "tests/test_cli.py::test_a_reader_that_has_seen_enough",
)
VALUES = (f"{DEVICE}/test_limits.py", f"{DEVICE}/test_values.py")

# file -> the tests that mirror it, the quickest first
TESTS: dict[str, tuple[str, ...]] = {
    "ghostdeploy/decision/paired.py": ("tests/decision/test_paired.py",),
    "ghostdeploy/decision/policy.py": ("tests/decision/test_policy.py",),
    "ghostdeploy/decision/budgets.py": ("tests/decision/test_budgets.py",),
    "ghostdeploy/decision/instructions.py": ("tests/decision/test_instructions.py",),
    "ghostdeploy/decision/verdict.py": (
        "tests/decision/test_policy.py",
        "tests/decision/test_paired.py",
    ),
    "ghostdeploy/stats/launches.py": ("tests/stats/test_launches.py",),
    "ghostdeploy/stats/proportions.py": ("tests/stats/test_proportions.py",),
    "android_bench/log/latencies.py": LOGS,
    "android_bench/log/lines.py": LOGS,
    "android_bench/log/parse.py": LOGS,
    "android_bench/log/complaints.py": LOGS,
    "android_bench/log/delegates.py": LOGS,
    "android_bench/log/profile.py": LOGS,
    "android_bench/device/thermal.py": (f"{DEVICE}/test_thermal.py",),
    "android_bench/device/values.py": VALUES,
    "android_bench/device/clusters.py": (f"{DEVICE}/test_clusters.py",),
    "android_bench/device/cores.py": (f"{DEVICE}/test_cores.py", f"{DEVICE}/test_clusters.py"),
    "android_bench/device/cpufreq.py": (f"{DEVICE}/test_cpufreq.py", f"{DEVICE}/test_identity.py"),
    "android_bench/device/affinity.py": (f"{DEVICE}/test_affinity.py",),
    "android_bench/device/evidence.py": (f"{DEVICE}/test_evidence.py",),
    "ghostdeploy/report/parts/numbers.py": ("tests/report/parts/test_numbers.py",),
    "ghostdeploy/lowering/parity.py": ("tests/lowering/test_parity.py",),
    "ghostdeploy/lowering/provenance.py": ("tests/lowering/test_provenance.py",),
    "ghostdeploy/records.py": ("tests/test_records.py",),
    "ghostdeploy/typed_json.py": (
        "tests/test_records.py::test_the_first_wrong_field_is_named",
        "tests/test_records.py",
        "tests/schema/test_schema.py",
    ),
    "ghostdeploy/errors.py": ("tests/test_errors.py", *EXITS),
    "ghostdeploy/cli/app.py": EXITS,
}
# (file, changed line as written, what it became) -> why no test can, or should, tell the difference
EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "ghostdeploy/decision/budgets.py",
        "return Interval(values[0], values[0], values[0])",
        "0 → -1",
    ): "the size of a file is the only value: the last is the first",
    **{
        ("ghostdeploy/errors.py", "exit_code = 4", change): (
            "the root of the errors is never raised itself"
        )
        for change in ("4 → 3", "4 → 5")
    },
    (
        "ghostdeploy/errors.py",
        r'line = str(error).strip().split("\n", 1)[0].strip()',
        "1 → 2",
    ): "what follows the first line is dropped, in one part or two",
    (
        "ghostdeploy/lowering/parity.py",
        "images = example_images(np.random.RandomState(20220), count, *spec.resolution)",
        "20220 → 20221",
    ): "other images prove as much",
    (
        "ghostdeploy/lowering/provenance.py",
        "return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str)"
        ".encode()).hexdigest()",
        "True → False",
    ): "the parts come in one order already",
    (
        "ghostdeploy/stats/launches.py",
        "return max(0, sum(1 for below in accumulate(counts) if below <= allowed) - 1)",
        "below <= allowed → below < allowed",
    ): "what is allowed lies a little above each attainable level, by _tail",
    (
        "ghostdeploy/stats/proportions.py",
        "reach = 1.959964 * sqrt(max(spread, 0.0)) / total",
        "0.0 → -1.0",
    ): "the spread is never below 0 but for a rounding",
    **{
        (
            "ghostdeploy/decision/policy.py",
            "return math.ceil(-math.log2(self.look_alpha) - 1e-9)",
            change,
        ): "the slack is far above a rounding and far below what an alpha is written with"
        for change in ("1e-09 → 2e-09", "1e-09 → 5e-10")
    },
    (
        "ghostdeploy/decision/policy.py",
        "return noise <= self.max_noise and self.tolerance + self.resolution(noise) <= self.delta",
        "self.tolerance + self.resolution(noise) <= self.delta → "
        "self.tolerance + self.resolution(noise) < self.delta",
    ): "no computed resolution is the very float",
    **{
        (
            "ghostdeploy/stats/launches.py",
            "return (1 - confidence) / 2 * (1 + 1e-12)",
            change,
        ): "the slack is far above a rounding and far below the distance of two levels"
        for change in ("1e-12 → 2e-12", "1e-12 → 5e-13")
    },
    (
        "ghostdeploy/stats/launches.py",
        "for size in range(2, n + 1):",
        "2 → 1",
    ): "one value has one order, with or without its turn",
    **{
        ("ghostdeploy/decision/paired.py", line, change): "no computed limit is the very float"
        for line, change in (
            (
                "if result.lower > 1 + policy.tolerance:",
                "result.lower > 1 + policy.tolerance → result.lower >= 1 + policy.tolerance",
            ),
            (
                "if result.upper < 1 + policy.delta and excess < policy.slow_excess:",
                "result.upper < 1 + policy.delta → result.upper <= 1 + policy.delta",
            ),
            (
                "if result.upper < 1 + policy.delta:",
                "result.upper < 1 + policy.delta → result.upper <= 1 + policy.delta",
            ),
            (
                "if result.upper < 1 - policy.tolerance:",
                "result.upper < 1 - policy.tolerance → result.upper <= 1 - policy.tolerance",
            ),
            (
                "if result.noise > policy.max_noise:",
                "result.noise > policy.max_noise → result.noise >= policy.max_noise",
            ),
        )
    },
    (
        "android_bench/log/lines.py",
        "return found[0] if found else None",
        "0 → -1",
    ): "there is one line: the last is the first",
    **{
        ("ghostdeploy/decision/paired.py", line, change): "beyond the screen a change is not 0"
        for line, change in (
            ("arm.slow += change > 0", "change > 0 → change >= 0"),
            ("arm.fast += change < 0", "change < 0 → change <= 0"),
        )
    },
    (
        "android_bench/log/complaints.py",
        '"the program starts twice: the log is of two launches", quote_line(starts[1])',
        "1 → 0",
    ): "each of these lines says the same",
    (
        "android_bench/log/profile.py",
        "yield _Table(scope, body[0], tuple(body[1:]), _executed(lines[i + 1 :]))",
        "1 → 2",
    ): "the number of nodes comes after the table, its first line is the titles",
    (
        "android_bench/log/profile.py",
        "rows += _section(lines[start + 1 : end])",
        "1 → 0",
    ): "a section's own title is no row and no title of a table",
    (
        "android_bench/log/profile.py",
        "for i in range(1, len(parts) - width)",
        "1 → 0",
    ): "a row without a node type is refused in either place",
    **{
        ("android_bench/device/clusters.py", line, change): (
            "all capacities lack or none, clocks are 10 MHz at least, and one unknown design has"
            " the order made anew"
        )
        for change in ("0 → 1", "0 → -1")
        for line in (
            "kind, number = classify_core(cluster.name) or 0, read_design_number(cluster.name)",
            "return (cluster.capacity or 0, kind, cluster.max_khz or 0, number, cluster.cpus)",
            "ordered = sorted(clusters, key=lambda c: (c.capacity or 0, c.max_khz or 0, c.cpus))",
        )
    },
    (
        "android_bench/device/clusters.py",
        "found[cpus[0]] = capacity",
        "0 → -1",
    ): "a folder cpuN is of one CPU: the last is the first",
    (
        "android_bench/device/clusters.py",
        "clusters: Sequence[Cluster], wanted: str | None = None, min_cpus: int = 1",
        "1 → 0",
    ): "every cluster has a CPU",
    **{
        (
            "android_bench/device/values.py",
            'level = None if absent else to_int(fields.get("level", ""), 0, scale or 0)',
            change,
        ): "without a scale there is no level"
        for change in ("0 → 1", "0 → -1")
    },
    (
        "android_bench/device/values.py",
        "return words[0] if len(words) == 1 and _BOOT_ID.fullmatch(words[0]) else None",
        "0 → -1",
    ): "there is one word: the last is the first",
    **{
        (
            "android_bench/log/complaints.py",
            "number = -returncode if returncode < 0 else returncode - SHELL_SIGNAL_BASE",
            change,
        ): "0 names no signal either way"
        for change in ("returncode < 0 → returncode <= 0", "0 → 1")
    },
    (
        "android_bench/log/latencies.py",
        "ROUNDING = 1e-5  # averages are printed with six significant digits",
        "1e-05 → 5e-06",
    ): "six digits round by 5e-6 at most; the other half is slack",
    **{
        ("android_bench/log/latencies.py", line, "0 → -1"): "nothing above 0 stands for absent"
        for line in (
            'median_ms=_positive_ms(values.get("median", 0)),',
            'p5_ms=_positive_ms(values.get("p5", 0)),',
            'p95_ms=_positive_ms(values.get("p95", 0)),',
            'init_ms=_positive_ms(values.get("Init", 0)),',
            'first_ms=_positive_ms(values.get("First inference", 0)),',
        )
    },
    **{
        ("android_bench/log/latencies.py", line, change): (
            "the number of runs of a line that tells none, or is missing, is not asked for"
        )
        for change in ("0 → 1", "0 → -1")
        for line in (
            'return to_amount(words[0], line), to_count(words[2], line) if "runs" in units else 0',
            'warmup_ms, warmup_count = values.get("Warmup (avg)", (0.0, 0))',
            "return values.get(label, (0.0, 0))[0] or None",
        )
    },
    **{
        (
            "android_bench/log/latencies.py",
            "if (low or mean_ms) > mean_ms + 0.011 or (high or mean_ms) < mean_ms - 0.011:",
            change,
        ): "two printed decimals never differ by just 0.011"
        for change in (
            "(low or mean_ms) > mean_ms + 0.011 → (low or mean_ms) >= mean_ms + 0.011",
            "(high or mean_ms) < mean_ms - 0.011 → (high or mean_ms) <= mean_ms - 0.011",
        )
    },
}

# Installed as sitecustomize, so that Python processes which a test starts see the mutant, too.
FINDER = """
import importlib.abc, importlib.machinery, os, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != os.environ.get("MUTANT_MODULE"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname):
                with open(os.environ["MUTANT_SOURCE"], encoding="utf-8") as file:
                    return compile(file.read(), self.path, "exec", dont_inherit=True)
        spec.loader = Loader(name, spec.origin)
        return spec

sys.meta_path.insert(0, Finder())
"""
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SIGNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """A changed file. ``line`` is as it was written, ``change`` says what became what."""

    path: str
    number: int
    line: str
    change: str
    source: str


def find_changes(path: str) -> list[tuple[int, int]]:
    """Return every change of a file: the number of an expression, and the way to change it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return [
        (place, way)
        for place, node in enumerate(_code_nodes(tree))
        for way in range(_count_changes(node))
    ]


def make_mutant(path: str, place: int, way: int) -> Mutant:
    """Make the mutant of one of a file's changes."""
    source = (ROOT / path).read_text(encoding="utf-8")
    tree = ast.parse(source)
    node = list(_code_nodes(tree))[place]
    before, after = ast.unparse(node), _change(node, way)
    line = source.splitlines()[node.lineno - 1].strip()
    return Mutant(path, node.lineno, line, f"{before} → {after}", ast.unparse(tree))


def _code_nodes(tree: ast.AST) -> Iterator[ast.expr]:
    """Walk the expressions that run: no annotations, docstrings or formats of f-strings."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "format_spec", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else (value,):
            if not isinstance(node, ast.AST) or isinstance(node, ast.JoinedStr):
                continue
            if isinstance(node, ast.keyword) and node.arg == "strict":
                continue  # zip's: an assertion, that no input may fail
            if isinstance(node, ast.expr) and _count_changes(node):
                yield node
            yield from _code_nodes(node)


def _count_changes(node: ast.AST) -> int:
    match node:
        case ast.Compare(ops=[only]):
            return len(COMPARISONS[type(only)])
        case ast.BinOp(op=op):
            return int(type(op) in SIGNS)
        case ast.Constant(value=bool()):
            return 1
        case ast.Constant(value=int() | float()):
            return 2
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not() | ast.USub()):
            return 1
    return 0


def _change(node: ast.expr, way: int) -> str:
    """Change ``node`` in place, and return it as text."""
    match node:
        case ast.Compare(ops=[only]):
            node.ops = [COMPARISONS[type(only)][way]()]
        case ast.BinOp(op=op):
            node.op = SIGNS[type(op)]()
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value)):
            node.value = value + (1, -1)[way]
        case ast.Constant(value=float(value)):
            node.value = value * (2.0, 0.5)[way] if value else (1.0, -1.0)[way]
        case ast.BoolOp(op=op):
            node.op = ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.UnaryOp(op=ast.USub()):
            node.op = ast.UAdd()
        case ast.UnaryOp(operand=operand):
            text = f"bool({ast.unparse(operand)})"
            made = ast.parse(text, mode="eval").body
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), made)
    return ast.unparse(ast.fix_missing_locations(node))


def is_noticed(mutant: Mutant | None, tests: tuple[str, ...], seconds: float) -> bool:
    """Return whether a test fails on the mutant, or does not end in time; None changes nothing."""
    with tempfile.TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True) as folder:
        pid = os.fork()
        if pid == 0:
            _become_tests(mutant, tests, Path(folder))
        deadline, status = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return status != 0
            time.sleep(0.01)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return True


def _become_tests(mutant: Mutant | None, tests: tuple[str, ...], folder: Path) -> None:
    import pytest

    code = 70
    try:
        os.setsid()
        os.chdir(ROOT)
        silent = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(silent, number)
        if mutant:
            _install(mutant, folder)
        options = ["-x", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}/tests"]
        code = int(pytest.main([*options, *tests]))
    finally:
        os._exit(code)


def _install(mutant: Mutant, folder: Path) -> None:
    module = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    source, hook = folder / "mutant.py", folder / "hook"
    source.write_text(mutant.source, encoding="utf-8")
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(FINDER)
    os.environ.update(
        MUTANT_MODULE=module,
        MUTANT_SOURCE=str(source),
        PYTHONPATH=os.pathsep.join([str(hook), str(ROOT)]),
        PYTHONDONTWRITEBYTECODE="1",
    )
    exec(FINDER, {})


def choose_mutants(count: int, seed: int, part: str) -> list[Mutant]:
    """Choose mutants at random, as many of each file as far as it has them."""
    source = random.Random(seed)
    by_file = {path: find_changes(path) for path in TESTS if part in path}
    for changes in by_file.values():
        source.shuffle(changes)
    chosen: list[Mutant] = []
    while len(chosen) < count and any(by_file.values()):
        for path, changes in by_file.items():
            if changes and len(chosen) < count:
                chosen.append(make_mutant(path, *changes.pop()))
    return sorted(chosen, key=lambda mutant: (mutant.path, mutant.number))


def run(mutants: list[Mutant], limits: dict[tuple[str, ...], float]) -> int:
    """Run the tests on each mutant, and print what they noticed; 1 where that is too little.

    ``limits`` says how many seconds each file's tests may take.
    """
    noticed: Counter[str] = Counter()
    explained: Counter[str] = Counter()
    totals = Counter(mutant.path for mutant in mutants)
    for mutant in mutants:
        if is_noticed(mutant, TESTS[mutant.path], limits[TESTS[mutant.path]]):
            noticed[mutant.path] += 1
            continue
        why = EQUIVALENT.get((mutant.path, mutant.line, mutant.change), "")
        explained[mutant.path] += bool(why)
        print(f"{mutant.path}:{mutant.number}: {mutant.change}\n    {mutant.line}", flush=True)
        if why:
            print(f"    = {why}", flush=True)
    for path, total in totals.items():
        print(f"{noticed[path]:4} of {total:3}  {path}")
    known = noticed.total() + explained.total()
    print(f"{noticed.total()} of {len(mutants)} noticed, {explained.total()} explained")
    return int(known < NOTICED * len(mutants))


def _import_first() -> None:
    """Import what tests need before forking, nothing of ours; and let hypothesis not shrink."""
    import hypothesis
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401

    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", phases=phases, database=None, deadline=None)
    hypothesis.settings.load_profile("mutants")


def main() -> int:
    """Choose mutants, once it is clear that the tests pass without any, and run them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=400, help="number of mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones are chosen")
    parser.add_argument("--file", default="", help="only files with this in their path")
    parser.add_argument("--seconds", type=float, default=60.0, help="least time for tests")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    _import_first()
    mutants = choose_mutants(options.count, options.seed, options.file)
    limits: dict[tuple[str, ...], float] = {}
    for tests in sorted({TESTS[mutant.path] for mutant in mutants}):
        start = time.monotonic()
        if is_noticed(None, tests, 10 * options.seconds):
            print(f"these tests fail on sound code: {' '.join(tests)}")
            return 2
        # on a busy machine they take longer, which is no test that noticed
        limits[tests] = max(options.seconds, 5 * (time.monotonic() - start))
    return run(mutants, limits)


if __name__ == "__main__":
    sys.exit(main())
