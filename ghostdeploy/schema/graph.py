"""What the linter and the runtime say about a graph."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that a rule has to say about a graph. ``severity`` is error, warning or info.

    ``module`` is the torch module that the node came from and ``source`` the file that defines
    it, "" where the export left no trace. ``allowed`` is the reason given in an allow list.
    """

    rule: str
    severity: str
    node: str
    message: str
    fix: str = ""
    module: str = ""
    source: str = ""
    allowed: str = ""


@dataclass(frozen=True)
class Partitions:
    """How XNNPACK takes a TFLite graph, measured in this machine's runtime.

    ``kernels`` is the number of delegate kernels, ``outside`` the nodes that stay with TFLite's
    builtin kernels, by name and operator.
    """

    runtime: str
    kernels: int
    outside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GraphReport:
    """What the linter saw in one file. ``dfc_branches`` maps a module to what it lowered to.

    ``weights_mb`` and ``activations_mb`` (the largest set alive at once) are 10⁶ bytes.
    """

    op_counts: dict[str, int]
    findings: tuple[Finding, ...]
    macs: int | None = None
    params: int | None = None
    partitions: Partitions | None = None
    dfc_branches: dict[str, str] = field(default_factory=dict)
    weights_mb: float | None = None
    activations_mb: float | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Return the findings that fail the file: errors that no allow list excuses."""
        return tuple(f for f in self.findings if f.severity == "error" and not f.allowed)
