"""Measure on an Android phone, or any device that adb reaches: ``adb``, ``adb:SERIAL``."""

from __future__ import annotations

import re
import secrets
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from android_bench.adb.client import AdbClient
from android_bench.adb.devices import list_devices
from android_bench.adb.patience import SESSION_WAIT_S, Patience
from android_bench.adb.phone import Adb, open_device
from android_bench.device.state import read_state
from android_bench.errors import AdbServerReplacedWarning, UnauthorizedError
from android_bench.log.parse import BenchmarkLog
from android_bench.program.command_line import InputFile
from android_bench.program.install import Program
from android_bench.session.phone_launch import PhoneLaunch
from android_bench.session.phone_session import PhoneOptions, PhoneSession
from android_bench.session.selftest import SelfTest, check_program, run_with_inputs
from ghostdeploy.errors import InputFileError, MeasurementError, UsageError
from ghostdeploy.files import check_input
from ghostdeploy.runners import Access, RuntimeEvidence, Tensor
from ghostdeploy.runners.android import convert_identity, convert_state, translate_errors
from ghostdeploy.runners.host.child_process import decode_bounded
from ghostdeploy.runners.host.reference import write_drawn_inputs
from ghostdeploy.runners.model_file import check_model_file, model_format
from ghostdeploy.runners.program_io import (
    build_program_argv,
    convert_profile,
    convert_summary,
    parse_program_log,
)
from ghostdeploy.schema import BenchParams, DeviceIdentity, DeviceState, Launch

CONNECT_S, AUTHORIZE_S = 5.0, 60.0


class AdbRunner:
    """A runner holds one phone by its lock until ``close``; benchmark_model passed a self-test.

    ``target`` is a serial, an address ``host:port``, or "" for the only phone.
    """

    def __init__(self, target: str, params: BenchParams, access: Access) -> None:
        build_program_argv("benchmark_model", "model", params)  # contradictions, before any phone
        explicit = Path(params.benchmark_model) if params.benchmark_model else None
        if explicit and explicit.exists():
            check_input(explicit)  # a pipe would block
        self._tell = access.tell
        self._closed = False
        with translate_errors():
            adb = _open(target, access)
            self._session = PhoneSession(adb, _options(params, access), access.tell)
            self._session.__enter__()
            try:
                self._program: Program = self._session.install(explicit)
                self._tested: SelfTest = check_program(self._session, self._program)
                self._last = read_state(adb)
            except BaseException:
                self.close()
                raise

    def identity(self) -> DeviceIdentity:
        """Return what the phone is."""
        return convert_identity(self._session.adb.serial, self._session.identity)

    @property
    def writes_outputs(self) -> bool:
        """Tell whether outputs can be had: builds of 2022 do not know --output_filepath."""
        return self._tested.writes_outputs

    def state(self) -> DeviceState:
        """Read the phone's state now. Raises MeasurementError for a phone that is gone."""
        with translate_errors():
            self._last = read_state(self._session.adb)
        return convert_state(self._last)

    def runtime(self, params: BenchParams) -> RuntimeEvidence:
        """Return which benchmark_model measures, and where it comes from."""
        program = self._program
        return RuntimeEvidence("benchmark_model", "", program.sha256, program.origin)

    def launch(self, model_path: Path, params: BenchParams, name: str = "") -> Launch:
        """Launch as Runner.launch. Raises MeasurementError for a phone that is gone or too hot."""
        _check_tflite(model_path)
        started = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        with translate_errors():
            model = self._session.push(model_path)
            run = re.sub(r"[^A-Za-z0-9._-]", "-", name) or f"run-{secrets.token_hex(6)}"
            with self._push_inputs(model_path, params) as inputs:
                argv = build_program_argv(self._program.path, model, params, inputs)
                found = self._session.launch(run, argv, params.timeout_s)
        self._last = found.after
        return _judged(model_path, started, argv, found, self._session.cpus.cpus)

    @contextmanager
    def _push_inputs(
        self, model_path: Path, params: BenchParams
    ) -> Iterator[tuple[InputFile, ...]]:
        """Have values of ``params.input_range`` on the phone while a launch reads them."""
        with write_drawn_inputs(model_path, params) as files:
            pushed = tuple(
                InputFile(name, shape, self._session.push_input(path))
                for name, shape, path in files
            )
            try:
                yield pushed
            finally:
                if pushed:
                    self._session.adb.shell(["rm", "-f", *(file.path for file in pushed)])

    def output(self, model_path: Path, params: BenchParams, inputs: Mapping[str, Tensor]) -> bytes:
        """Return what the model makes of ``inputs``, as Runner.output.

        Raises UsageError for names that benchmark_model's flags cannot hold.
        """
        if unspeakable := next((name for name in inputs if "," in name), None):
            raise UsageError(f"{model_path}: benchmark_model cannot name its input {unspeakable!r}")
        with translate_errors():
            model = self._session.push(model_path)
            return run_with_inputs(
                self._session,
                self._program,
                model,
                dict(inputs),
                use_xnnpack=params.xnnpack,
                fp16=params.fp16,
                delegate=params.delegate,
                timeout_s=params.timeout_s,
            )

    def warnings(self) -> tuple[str, ...]:
        """Return what readers of the numbers should know of the phone."""
        return self._session.warnings(self._last)

    def close(self) -> None:
        """Put the phone's settings back and free its lock; may be called twice."""
        if not self._closed:
            self._closed = True
            with translate_errors():
                self._session.__exit__(None, None, None)


def find_serials(target: str, adb: str = "") -> tuple[str, ...]:
    """Return the serials of ``A,B`` or ``all``; anything else stands for one phone.

    Raises MeasurementError where ``all`` finds no phone that takes commands.
    """
    if target != "all":
        names = tuple(dict.fromkeys(name.strip() for name in target.split(",") if name.strip()))
        return names or ("",)
    with translate_errors():
        ready = tuple(e.serial for e in list_devices(AdbClient(adb)) if e.state == "device")
    if not ready:
        raise MeasurementError("no phone is attached and ready; see: ghostdeploy devices")
    return ready


def check_reachable(target: str, access: Access) -> None:
    """Raise UsageError or MeasurementError if there is no such phone that takes commands."""
    with translate_errors():
        _open(target, access)


def _open(target: str, access: Access) -> Adb:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", AdbServerReplacedWarning)
        client = AdbClient(access.adb)
        try:
            patience = Patience(SESSION_WAIT_S, tell=access.tell)
            adb = open_device(target or None, client, CONNECT_S, patience)
        except UnauthorizedError as error:
            access.tell(f"{error}; waiting {AUTHORIZE_S:.0f} s")
            serial = error.serial or target
            adb = Adb(serial, client)
            adb.wait_online(AUTHORIZE_S)
    for warning in heard:
        access.tell(str(warning.message))
    return adb


def _options(params: BenchParams, access: Access) -> PhoneOptions:
    phone = params.phone
    return PhoneOptions(
        cpus=params.cpus or None,
        threads=params.threads,
        max_thermal_status=phone.max_thermal,
        max_temp_c=phone.max_temp_c,
        min_battery_percent=phone.min_battery,
        cool_down_s=phone.cool_down_s,
        screen_on=phone.screen_on,
        fixed_performance=phone.fixed_performance,
        wait_lock_s=access.wait_s,
        resume=access.resume,
    )


def _check_tflite(path: Path) -> None:
    if model_format(path) != "tflite":
        raise UsageError(f"{path}: benchmark_model runs .tflite files")
    check_model_file(path)


def _judged(
    model_path: Path,
    started: str,
    argv: tuple[str, ...],
    found: PhoneLaunch,
    cpus: tuple[int, ...],
) -> Launch:
    """Judge the launch: a program that failed by itself is an error, one stopped is invalid."""
    log: BenchmarkLog | None = None
    why = list(found.why_not)
    if found.returncode is not None and not found.rebooted:
        try:
            log = parse_program_log(model_path, found.stdout, found.stderr, found.returncode)
        except (InputFileError, MeasurementError):
            if not why:
                raise
    summary = convert_summary(log.summary) if log and log.summary else None
    if summary is None and not why:
        why.append("it measured nothing")
    return Launch(
        round=0,
        position=0,
        started_at=started,
        argv=argv,
        summary=summary,
        init_ms=log.init_ms if log else None,
        first_ms=log.first_ms if log else None,
        warmup_ms=log.warmup.mean_ms if log and log.warmup else None,
        peak_mem_mb=_peak_mem_mb(log, found),
        partitions=log.partitions if log else None,
        profile=convert_profile(log) if log else (),
        cpus=found.cpus,
        state_before=convert_state(found.before),
        state_after=convert_state(found.after),
        states_during=tuple(map(convert_state, found.during)),
        valid=not why,
        why_not="; ".join(why),
        returncode=found.returncode,
        stdout=decode_bounded(found.stdout),
        stderr=decode_bounded(found.stderr),
    )


def _peak_mem_mb(log: BenchmarkLog | None, found: PhoneLaunch) -> float | None:
    """Return the program's own word where it was asked for it, else what was seen of it."""
    if log and log.peak_mem_mb:
        return log.peak_mem_mb * 2**20 / 1e6
    return found.peak_mem_mb
