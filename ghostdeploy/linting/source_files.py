"""Which of our files defines the module that a node came from. It needs no torch."""

from __future__ import annotations

from ghostdeploy.schema import ModelSpec

_ZOO = "ghostdeploy/zoo"
_GHOSTNET, _LAYERS = f"{_ZOO}/ghostnetv1.py", f"{_ZOO}/layers.py"
_MOBILENET, _SANDGLASS = f"{_ZOO}/inverted_residual.py", f"{_ZOO}/sandglass.py"

# The first part of a GhostNet module's path -> the file whose class computes what is below it.
SOURCE_FILES: dict[str, str] = {
    "attention": f"{_ZOO}/ghostnetv1_sa.py",
    "blocks": _LAYERS,
    "act1": _GHOSTNET,
    "act2": _GHOSTNET,
    "bn1": _GHOSTNET,
    "center": "ghostdeploy/lowering/deploy.py",
    "classifier": _GHOSTNET,
    "conv_head": _GHOSTNET,
    "conv_stem": _GHOSTNET,
}
# The file of the other networks' own classes, and of those of modules inside their blocks.
NETWORK_FILES: dict[str, str] = {
    "mobilenext": _SANDGLASS,
    "mobilenext_plus": _SANDGLASS,
    "shufflenetv1": f"{_ZOO}/shufflenetv1.py",
    "shufflenetv2": f"{_ZOO}/shufflenetv2.py",
}
# What a network has beside its family's class, by the module's path.
OWN_FILES: dict[str, dict[str, str]] = {
    "mobilenetv1": {"classifier": f"{_ZOO}/mobilenetv1.py"},
    "mobilenetv3_large": {
        "blocks.6": _LAYERS,
        "conv_head": f"{_ZOO}/mobilenetv3_large.py",
        "act2": _LAYERS,
        "classifier": f"{_ZOO}/mobilenetv3_large.py",
    },
}
PART_FILES: dict[str, str] = {
    "dfc": _LAYERS,
    "nl": f"{_ZOO}/light_nl.py",
    "se": _LAYERS,
    "shuffle": f"{_ZOO}/shuffle.py",
}


def source_file_of(module: str, spec: ModelSpec | None) -> str:
    """Return the file that defines ``module``, "" for a model that is not ours."""
    if spec is None:
        return ""
    first, *inner = module.split(".")
    if first == "center" or spec.arch.startswith("ghostnet"):
        return SOURCE_FILES.get(first, "")
    if not module:
        return ""
    for path, file in OWN_FILES.get(spec.arch, {}).items():
        if f"{module}.".startswith(f"{path}."):
            return file
    if "se" in inner and getattr(spec.options, "kind", "se") != "se":  # it stands in se's place
        return f"{_ZOO}/attention.py"
    named = [PART_FILES[part] for part in inner if part in PART_FILES]
    return named[0] if named else NETWORK_FILES.get(spec.arch, _MOBILENET)
