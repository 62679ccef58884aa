"""The records that a session begins with: what is measured, by what, and under which file names."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from ghostdeploy.commands.inputs import check_shapes_taken, settle_params
from ghostdeploy.commands.titles import titles_of
from ghostdeploy.digest import file_sha256
from ghostdeploy.errors import InputFileError
from ghostdeploy.invocation import command_line
from ghostdeploy.runners import Runner
from ghostdeploy.schema import Artifact, BenchParams, BenchRecord, DeviceIdentity, Evidence
from ghostdeploy.version import __version__


def new_records(
    artifacts: Sequence[Artifact], runner: Runner, params: BenchParams
) -> list[tuple[str, BenchRecord]]:
    """Make a record without launches for each of a session's models, and name its file.

    Raises InputFileError for a file that is no longer the artifact's, UsageError for one whose
    inputs leave open what ``params`` do not say.
    """
    started = datetime.now(timezone.utc)
    session = f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    device = runner.identity()
    names = tuple(titles_of(artifacts))
    made = []
    for number, artifact in enumerate(artifacts):
        path = Path(artifact.path)
        settled = settle_params(path, params)
        runtime = runner.runtime(settled)
        evidence = Evidence(
            model_sha256=file_sha256(path),
            runtime=runtime.name,
            runtime_version=runtime.version,
            runtime_sha256=runtime.sha256,
            ghostdeploy_version=__version__,
            session=session,
            order=names + names[::-1],
            started_at=started.isoformat(timespec="milliseconds"),
            runtime_origin=runtime.origin,
            warnings=runner.warnings(),
            command=command_line(),
        )
        if artifact.sha256 != evidence.model_sha256:
            raise InputFileError(f"{path}: is not the file it was: its SHA-256 differs")
        record = BenchRecord(artifact, device, settled, evidence)
        made.append((record_name(session, number, artifact, device), record))
    check_shapes_taken(params.input_shapes, [record.params for _, record in made])
    return made


def record_name(session: str, number: int, artifact: Artifact, device: DeviceIdentity) -> str:
    """Return a record's file name, ``DATE-TIME-ID_N-MODEL_DEVICE.json``, safe on every system."""
    model = artifact.name.removesuffix(f".{artifact.format}")
    if artifact.spec:
        model += f"-{artifact.precision}.{artifact.format}"
    where = "-".join(filter(None, (device.scheme, device.serial)))
    return f"{session}_{number + 1}-{file_safe(model)}_{file_safe(where)}.json"


def file_safe(text: str) -> str:
    """Return ``text`` with a dash for whatever may not stand in a file name everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:80] or "unnamed"
