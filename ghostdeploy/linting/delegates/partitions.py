"""How many XNNPACK partitions a TFLite file really makes: the runtime is asked.

``python -m ghostdeploy.linting.delegates.partitions FILE`` is the part that loads the file. It is a
process of its own, because a runtime may die of a file that someone else made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from ghostdeploy.linting.readers.tflite_tensors import make_unique
from ghostdeploy.litert import OperatorDetails, open_interpreter, operators_of
from ghostdeploy.schema import Partitions

TIMEOUT_S = 120.0


def measure_partitions(path: Path) -> Partitions | None:
    """Return how this machine's LiteRT partitions ``path``, None where it cannot load it."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ghostdeploy.linting.delegates.partitions", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
        )
        found = json.loads(done.stdout) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, ValueError):
        return None
    if found is None:
        return None
    outside = tuple((name, op) for name, op in found["outside"])
    return Partitions(found["runtime"], found["kernels"], outside)


def main(path: str) -> int:
    """Print the runtime, the kernels and the nodes outside of ``path`` as JSON."""
    interpreter = open_interpreter(path, threads=1)
    interpreter.allocate_tensors()  # applies XNNPACK
    ops = operators_of(interpreter)
    kernels = [op for op in ops if op["op_name"] == "DELEGATE"]
    nodes = [op for op in ops if op["op_name"] != "DELEGATE"]
    details = {d["index"]: d["name"] for d in interpreter.get_tensor_details()}
    # As the readers call them: names may recur, and only the index tells such tensors apart.
    names = make_unique(details.get(index, "") for index in range(max(details, default=-1) + 1))
    outputs = [d["index"] for d in interpreter.get_output_details()]
    outside = [
        (names[int(op["outputs"][0])], op["op_name"])
        for op in find_outside_nodes(nodes, kernels, outputs)
    ]
    runtime = f"LiteRT {version('ai-edge-litert')}"
    print(json.dumps({"runtime": runtime, "kernels": len(kernels), "outside": outside}))
    return 0


def find_outside_nodes(
    nodes: Sequence[OperatorDetails], kernels: Sequence[OperatorDetails], outputs: Sequence[int]
) -> list[OperatorDetails]:
    """Return the nodes that still run themselves, in order.

    The interpreter lists all nodes that ever were. Going back from what is read (the graph's
    outputs, the kernels' inputs), whatever no kernel writes is written by such a node.
    """
    written = {int(i) for kernel in kernels for i in kernel["outputs"]}
    producer = {int(i): node for node in nodes for i in node["outputs"]}
    waiting = [*outputs, *(int(i) for kernel in kernels for i in kernel["inputs"])]
    found: set[int] = set()
    seen: set[int] = set()
    while waiting:
        tensor = int(waiting.pop())
        if tensor in seen or tensor in written or tensor not in producer:
            continue
        seen.add(tensor)
        node = producer[tensor]
        found.add(node["index"])
        waiting.extend(int(i) for i in node["inputs"])
    return [node for node in nodes if node["index"] in found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
