#!/usr/bin/env bash
# LiteRT 2.3.0: OpResolverType.BUILTIN_REF, the reference kernels, cannot load files that the
# optimized kernels run.
#
# Expected: the reference kernels are the complete, slow and plain ones, which every file can be
#   compared with; the optimized ones are a faster choice of the same operators and versions.
# Seen: the reference resolver has no CEIL, ELU, ROUND or SEGMENT_SUM at all, and knows older
#   versions only of a dozen others: DEPTH_TO_SPACE 2 (int8), ABS 5, ARG_MAX 3, TILE 3, GELU 3,
#   TRANSPOSE 9 … The Interpreter raises "Didn't find op for builtin opcode", which reads as if the
#   file were too new for the runtime. 2.1.0 has a similar list.
# Who meets it: whoever proves a file against BUILTIN_REF, e.g. an int8 network with a pixel
#   shuffle, or any network with ELU.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here "$work/venv/bin/python" - >"$work/seen" 2>"$work/log" <<'PYTHON'
from one_operator import BUILTIN, REFERENCE, Interpreter, make

OPS = {"ADD": 1, "ELU": 1, "CEIL": 1, "ROUND": 1, "DEPTH_TO_SPACE": 2, "ABS": 5, "ARG_MAX": 3}


def newest(op, resolver, most):
    """The newest version of ``op`` up to ``most`` that the resolver has, 0 for none."""
    found = 0
    for version in range(1, most + 1):
        data = make(op, [(1,)], (1,), version=version)
        try:
            Interpreter(model_content=data, experimental_op_resolver_type=resolver)
        except ValueError as error:
            if "Didn't find op" not in str(error):
                raise
        else:
            found = version
    return found


for op, most in OPS.items():
    print(op, "builtin", newest(op, BUILTIN, most), "reference", newest(op, REFERENCE, most))
PYTHON
diff "$work/seen" - <<'SEEN'
ADD builtin 1 reference 1
ELU builtin 1 reference 0
CEIL builtin 1 reference 0
ROUND builtin 1 reference 0
DEPTH_TO_SPACE builtin 2 reference 1
ABS builtin 5 reference 3
ARG_MAX builtin 3 reference 2
SEEN
echo "as described"
