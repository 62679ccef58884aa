"""A process's use of a phone: what goes wrong in mid-run, and what is left behind: nothing."""

from __future__ import annotations

import threading
import time

import pytest

from android_bench import errors
from android_bench.adb.lock import LEASE_S, DeviceLock
from android_bench.adb.runs import run_folder, start_detached
from android_bench.adb.text import DEVICE_ROOT
from android_bench.session import phone_session
from android_bench.session.phone_session import PhoneOptions, PhoneSession
from tests.command_line import eventually
from tests.fake_phone.fixtures import PATIENCE_S, attach, process_on

GONE = r"was lost|offline|not attached|nobody answers"
GO = f"{DEVICE_ROOT}/go"
WAITS = ("sh", "-c", f"echo begun; while [ ! -f {GO} ]; do sleep 0.05; done; echo ended")
WAITING = rf"^sh -c echo begun; while \[ ! -f \S*{GO} "


def options(**changes: object) -> PhoneOptions:
    return PhoneOptions(**{"patience_s": PATIENCE_S, "cool_down_s": 0.0, **changes})  # type: ignore[arg-type]


def session(phone, heard: list[str] | None = None, **changes: object) -> PhoneSession:
    tell = (heard if heard is not None else []).append
    return PhoneSession(attach(phone), options(**changes), tell)


def go(phone) -> None:
    phone.host_path(GO).touch()


@pytest.fixture(autouse=True)
def _short_workload(monkeypatch):
    """The timed loop by which a phone without thermal status is judged: this machine is busy."""
    monkeypatch.setattr("android_bench.device.workload.TARGET_S", 0.05)
    monkeypatch.setattr("android_bench.device.cooldown.THROTTLED", 1000.0)


@pytest.fixture
def at_work(phone):
    """Does something to the phone as soon as the waiting program runs, then lets it end."""
    threads: list[threading.Thread] = []

    def start(*actions) -> None:
        def run() -> None:
            process_on(phone, WAITING)
            for action in actions:
                action()

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()
    phone.host_path(GO).unlink(missing_ok=True)


class TestLaunch:
    def test_a_plain_one(self, any_phone):
        with session(any_phone) as used:
            found = used.launch("a", ["sh", "-c", "echo out; echo err >&2; exit 3"], 60)
        assert (found.stdout, found.stderr, found.returncode) == (b"out\n", b"err\n", 3)
        assert found.why_not == ()
        assert found.cpus == used.cpus.cpus
        assert found.cpus == any_phone.spec.clusters[-1].cpus

    def test_words_survive_the_way_to_the_program(self, phone):
        words = ["a b", "it's", '"', "$(id)", "é", "*", ""]
        with session(phone) as used:
            found = used.launch("a", ["printf", "%s|", *words], 60)
        assert found.stdout.decode() == "".join(f"{word}|" for word in words)

    @pytest.mark.parametrize(
        ("wanted", "cpus"),
        [
            ("big", (6, 7)), ("mid", (4, 5)), ("little", (0, 1, 2, 3)), ("30", (4, 5)),
            ("prime", (6, 7)),
        ],
    )  # fmt: skip
    def test_the_mask_is_set_and_read_back(self, phone, wanted, cpus):
        with session(phone, cpus=wanted) as used:
            assert used.launch("a", ["true"], 60).cpus == cpus

    def test_a_mask_that_does_not_take_effect(self, phone):
        phone.set_affinity_ignored()
        with session(phone, cpus="little") as used:
            found = used.launch("a", ["true"], 60)
        assert found.why_not == ("the CPU mask 0f did not take effect: it ran on ff",)

    def test_it_is_sampled_while_it_runs(self, phone, at_work, monkeypatch):
        monkeypatch.setattr("android_bench.session.phone_launch.SAMPLE_S", 0.0)
        at_work(lambda: time.sleep(1.5), lambda: go(phone))
        with session(phone) as used:
            found = used.launch("a", WAITS, 60)
        assert found.during
        assert found.during[0].freqs
        assert found.peak_mem_mb
        assert found.peak_mem_mb > 0.1

    def test_a_stretch_of_throttling_between_two_cool_ends(self, phone, at_work, monkeypatch):
        monkeypatch.setattr("android_bench.session.phone_launch.SAMPLE_S", 0.0)
        at_work(
            lambda: phone.throttle(2, 1_500_000),
            lambda: time.sleep(1.5),
            lambda: phone.throttle(2, 2_600_000),
            lambda: go(phone),
        )
        with session(phone) as used:
            found = used.launch("a", WAITS, 60)
        assert found.why_not == ("capped: CPUs 6, 7 may run at 1.50 of 2.60 GHz during the launch",)

    def test_throttled_at_its_end(self, phone, at_work):
        at_work(lambda: phone.set_thermal_status(3), lambda: go(phone))
        with session(phone) as used:
            found = used.launch("a", WAITS, 60)
        assert found.why_not == ("throttled: thermal status 3 (severe) after the launch",)
        assert found.stdout == b"begun\nended\n"

    def test_hanging(self, phone):
        with session(phone) as used:
            found = used.launch("a", WAITS, 1.0)
        assert found.why_not == ("did not finish in 1 s",)
        assert found.returncode is None
        assert found.stdout == b"begun\n"

    def test_killed(self, phone, at_work):
        at_work(lambda: phone.kill(WAITING))
        with session(phone) as used:
            found = used.launch("a", WAITS, 60)
        assert found.returncode == 137
        assert found.why_not == ("killed, 3072 MB available",)


class TestSurvival:
    @pytest.mark.parametrize("name", ["kirin980", "bare"])
    def test_unplugged_in_mid_run(self, make_phone, name):
        phone, heard = make_phone(name), []

        def act() -> None:
            process_on(phone, WAITING)
            phone.unplug()
            go(phone)
            eventually(lambda: any("is gone" in text for text in heard), 20)
            phone.plug()

        thread = threading.Thread(target=act)
        thread.start()
        with PhoneSession(attach(phone, 0.0), options(), heard.append) as used:
            found = used.launch("a", WAITS, 60)
        thread.join()
        assert found.stdout == b"begun\nended\n"
        assert found.why_not == ()
        phone.host_path(GO).unlink()

    def test_gone_for_good(self, phone, at_work):
        at_work(phone.unplug)
        used = PhoneSession(attach(phone, 0.0), options(patience_s=0.5), lambda _: None)
        with pytest.raises(errors.AdbError, match=GONE), used:
            used.launch("a", WAITS, 60)
        phone.plug()
        phone.advance(LEASE_S + 1)  # the lock's owner, this process, still lives
        with session(phone):  # the next one finds what was left and removes it
            pass

    def test_the_adb_server_is_killed(self, phone, adb_server, at_work):
        at_work(adb_server.kill, lambda: go(phone))
        with session(phone) as used:
            found = used.launch("a", WAITS, 60)
        assert found.stdout == b"begun\nended\n"
        assert found.why_not == ()

    def test_rebooted(self, phone, at_work):
        at_work(phone.reboot)
        with session(phone) as used:
            found = used.launch("a", WAITS, 60)
            assert found.rebooted
            assert found.why_not == ("the device was rebooted",)
            assert used.launch("b", ["echo", "well"], 60).stdout == b"well\n"

    def test_an_interruption(self, phone):
        def tell(_: str) -> None:
            if phone.processes() and any("begun" in line for _, line in phone.processes()):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), PhoneSession(attach(phone), options(), tell) as used:
            used.launch("a", WAITS, 60)

    def test_what_another_process_started_is_taken_over(self, phone):
        """As after a kill -9 of the host's process: its run goes on alone."""
        adb = attach(phone)
        start_detached(adb, "echo earlier", run_folder("a"))
        with session(phone, resume=True) as used:
            found = used.launch("a", ["echo", "anew"], 60)
        assert found.stdout == b"earlier\n"
        assert found.before.uptime_s is None  # nobody looked

    def test_or_else_removed(self, phone):
        start_detached(attach(phone), "sleep 987", run_folder("a"))
        with session(phone) as used:
            assert not any("sleep 987" in line for _, line in phone.processes())
            assert used.launch("a", ["echo", "anew"], 60).stdout == b"anew\n"


class TestReadiness:
    def test_too_hot(self, phone):
        phone.set_thermal_status(2)
        with session(phone) as used, pytest.raises(errors.DeviceNotReadyError) as error:
            used.launch("a", ["true"], 60)
        assert "is not fit to measure: the thermal status is 2 (moderate)" in str(error.value)

    def test_it_waits_and_says_for_what(self, phone, monkeypatch):
        monkeypatch.setattr(phone_session, "COOL_POLL_S", 0.05)
        phone.set_thermal_status(2)
        heard: list[str] = []

        def tell(text: str) -> None:
            heard.append(text)
            if "waiting" in text:
                phone.set_thermal_status(0)

        used = PhoneSession(attach(phone), options(cool_down_s=60.0), tell)
        with used:
            assert used.launch("a", ["echo", "cool"], 60).stdout == b"cool\n"
        assert any("waiting, the thermal status is 2 (moderate)" in text for text in heard)

    def test_a_low_battery(self, phone):
        phone.set_battery(12, 300)
        with session(phone) as used, pytest.raises(errors.DeviceNotReadyError, match="12 %"):
            used.launch("a", ["true"], 60)

    def test_a_warm_phone_may_be_allowed(self, phone):
        phone.set_thermal_status(1)
        with session(phone, max_thermal_status=1) as used:
            assert used.launch("a", ["true"], 60).why_not == ()


class TestLock:
    def test_a_phone_in_use(self, phone):
        adb = attach(phone)
        used = session(phone)
        with DeviceLock(adb, "another"), pytest.raises(errors.DeviceLockedError, match="in use by"):
            used.__enter__()
        with session(phone):
            pass

    def test_waiting_for_it(self, phone, monkeypatch):
        monkeypatch.setattr(phone_session, "LOCK_POLL_S", 0.05)
        lock = DeviceLock(attach(phone), "another")
        lock.acquire()
        heard: list[str] = []

        def tell(text: str) -> None:
            heard.append(text)
            lock.release()

        with PhoneSession(attach(phone), options(wait_lock_s=PATIENCE_S), tell) as used:
            assert used.launch("a", ["echo", "mine"], 60).stdout == b"mine\n"
        assert "is in use by process" in heard[0]
        assert heard[0].endswith("; waiting")


class TestSettings:
    def test_they_are_put_back(self, make_phone):
        phone = make_phone("prime")
        state = phone.host_path("/system/phone/state/fixed-performance")

        def measure() -> None:
            with session(phone, fixed_performance=True, screen_on=True) as used:
                assert [s.took_effect for s in used.settings] == [True, True]
                found = used.launch("a", ["true"], 60)
                assert found.why_not == ()  # a lower clock is the point
                assert state.read_text() == "true\n"
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            measure()
        assert state.read_text() == "false\n"

    def test_what_does_not_take_effect_is_a_warning(self, phone):
        with session(phone, fixed_performance=True) as used:
            warnings = used.warnings(used.launch("a", ["true"], 60).after)
        assert any(text.startswith("fixed-performance: the phone refused") for text in warnings)

    def test_a_mixed_mask_is_a_warning(self, phone):
        with session(phone, cpus="f0") as used:
            (warning,) = used.warnings(used.launch("a", ["true"], 60).after)
        assert warning == "mask f0 mixes Cortex-A76 1.92 GHz and Cortex-A76 2.60 GHz"


class TestFiles:
    def test_a_model_is_pushed_once(self, phone, tmp_path):
        model = tmp_path / "a model 'é'.tflite"
        model.write_bytes(b"content")
        with session(phone) as used:
            remote = used.push(model)
            assert phone.host_path(remote).read_bytes() == b"content"
            before = phone.host_path(remote).stat()
            assert used.push(model) == remote
            after = phone.host_path(remote).stat()
            assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_no_space(self, phone, tmp_path):
        phone.free_bytes = 1000
        model = tmp_path / "model.tflite"
        model.write_bytes(bytes(100_000))
        with session(phone) as used, pytest.raises(errors.NoSpaceError):
            used.push(model)

    def test_read_only(self, phone):
        phone.set_read_only()
        with pytest.raises(errors.AdbError, match=r"[Rr]ead-only|status 1"):
            session(phone).__enter__()
        phone.set_read_only(False)
