"""Detached runs: they outlive the connection, are found again, and end clean."""

from __future__ import annotations

import signal
import time

import pytest

from android_bench import errors
from android_bench.adb.phone import Adb
from android_bench.adb.runs import (
    RUNS,
    RunStatus,
    fetch_detached,
    kill_detached,
    list_runs,
    poll_detached,
    remove_detached,
    run_folder,
    start_detached,
    sweep_leftovers,
)
from android_bench.adb.text import DEVICE_ROOT
from android_bench.log.parse import parse_log
from ghostdeploy.fake_phone import ALWAYS, Phone, Trigger
from tests.android_bench.adb.test_command import SHORT_S, one_line
from tests.fake_phone.fixtures import (
    PATIENCE_S,
    attach,
    leftovers,
    process_on,
    remains,
    sleeping,
)

RUN = run_folder("r1")
# prints, then goes on only when told to: no test waits for a clock
WAITS = f"echo before; while [ ! -f {DEVICE_ROOT}/go ]; do sleep 0.05; done; echo after; exit 7"


def go(phone: Phone) -> None:
    phone.host_path(f"{DEVICE_ROOT}/go").touch()


def wait_for_end(adb: Adb, run_dir: str = RUN) -> RunStatus:
    while (status := poll_detached(adb, run_dir)).state == "running":
        time.sleep(0.05)
    return status


def ended_clean(adb: Adb, phone: Phone, run_dir: str = RUN) -> bool:
    remove_detached(adb, run_dir)
    return remains(phone) == ([], [])


class TestBounds:
    def test_of_much_output_the_beginning_is_fetched(self, any_phone, monkeypatch):
        """More than a log may hold; the parser says so of what is one byte over it."""
        monkeypatch.setattr("android_bench.adb.runs.MOST_OUTPUT_BYTES", 1000)
        adb = attach(any_phone)
        start_detached(adb, "yes | head -c 300000; yes n | head -c 300000 >&2", RUN)
        wait_for_end(adb)
        output = fetch_detached(adb, RUN)
        assert (len(output.stdout), len(output.stderr)) == (1000, 1000)
        assert ended_clean(adb, any_phone)

    def test_output_without_end_does_not_fill_the_phone(self, phone, monkeypatch):
        monkeypatch.setattr("android_bench.adb.runs.MOST_FILE_BLOCKS", 100)
        adb = attach(phone)
        start_detached(adb, "exec yes", RUN)
        assert wait_for_end(adb).returncode == 128 + signal.SIGXFSZ
        assert len(fetch_detached(adb, RUN).stdout) == 51_200
        assert ended_clean(adb, phone)


class TestRun:
    def test_from_start_to_end(self, any_phone):
        adb = attach(any_phone)
        status = start_detached(adb, WAITS, RUN)
        assert (status.name, status.state, status.returncode) == ("r1", "running", None)
        assert status.pid in [pid for pid, _ in any_phone.processes()]
        go(any_phone)
        assert wait_for_end(adb) == RunStatus("r1", "done", 7, status.pid)
        output = fetch_detached(adb, RUN)
        assert (output.stdout, output.stderr, output.returncode) == (b"before\nafter\n", b"", 7)
        assert ended_clean(adb, any_phone)

    def test_words_survive_and_streams_are_apart(self, any_phone):
        adb = attach(any_phone)
        start_detached(adb, ["sh", "-c", 'printf "%s" "$1"; echo e >&2', "x", "a 'b' $(c)\nä"], RUN)
        wait_for_end(adb)
        output = fetch_detached(adb, RUN)
        assert (output.stdout.decode(), output.stderr) == ("a 'b' $(c)\nä", b"e\n")
        assert ended_clean(adb, any_phone)

    def test_a_folder_that_is_not_ours(self, adb):
        for folder in ("/data/local/tmp/x", RUNS, f"{RUNS}/../x", f"{RUNS}/a/b", "r1"):
            for action in (poll_detached, kill_detached, remove_detached):
                with pytest.raises(errors.OptionError, match="is no run of ours"):
                    action(adb, folder)

    @pytest.mark.parametrize("name", ["", "..", "a b", "a/b", "-x", "x" * 101])
    def test_no_name(self, name):
        with pytest.raises(errors.OptionError, match="is no name for a run"):
            run_folder(name)

    def test_an_absent_one(self, adb):
        assert poll_detached(adb, RUN) == RunStatus("r1", "absent")
        kill_detached(adb, RUN)
        with pytest.raises(errors.RemoteFileError, match=r"r1 on .* is absent"):
            fetch_detached(adb, RUN)

    def test_a_running_one_has_nothing_to_fetch(self, adb, phone):
        start_detached(adb, WAITS, RUN)
        with pytest.raises(errors.RemoteFileError, match=r"r1 on .* is running"):
            fetch_detached(adb, RUN)
        assert ended_clean(adb, phone)


class TestSurvival:
    def test_of_an_unplugged_phone(self, adb, phone):
        start_detached(adb, WAITS, RUN)
        phone.unplug()
        go(phone)
        while phone.processes():
            time.sleep(0.05)
        phone.plug()
        adb.wait_online(PATIENCE_S)
        assert wait_for_end(adb).returncode == 7
        assert fetch_detached(adb, RUN).stdout == b"before\nafter\n"
        assert ended_clean(adb, phone)

    def test_of_a_killed_adb_server(self, adb, phone, adb_server):
        start_detached(adb, WAITS, RUN)
        adb_server.kill()
        assert poll_detached(adb, RUN).state == "running"
        go(phone)
        assert wait_for_end(adb).returncode == 7
        assert ended_clean(adb, phone)

    def test_of_a_connection_lost_while_starting(self, adb, phone):
        """The command has run, its answer is lost, and it is repeated: one run, not two."""
        script = f"echo once >>{DEVICE_ROOT}/count; {WAITS}"
        phone.faults.drop_after_output = Trigger("mkdir started", after_bytes=60)
        start_detached(adb, script, RUN)
        go(phone)
        wait_for_end(adb)
        assert phone.host_path(f"{DEVICE_ROOT}/count").read_text() == "once\n"
        assert ended_clean(adb, phone)

    def test_an_earlier_run_of_another_process_is_found(self, adb, phone):
        start_detached(adb, WAITS, RUN)
        start_detached(adb, "exit 3", run_folder("r2"))
        wait_for_end(adb, run_folder("r2"))
        later = attach(phone)
        first, second = list_runs(later)
        assert (first.name, first.state) == ("r1", "running")
        assert (second.name, second.state, second.returncode) == ("r2", "done", 3)
        for run in (first, second):
            remove_detached(later, run_folder(run.name))
        assert list_runs(later) == ()
        assert (leftovers(phone), phone.processes()) == ([], [])

    def test_a_reboot_is_noticed(self, adb, phone):
        start_detached(adb, WAITS, RUN)
        phone.reboot()
        assert poll_detached(adb, RUN).state == "rebooted"
        assert ended_clean(adb, phone)

    def test_the_program_killed(self, adb, phone):
        start_detached(adb, "echo before; exec sleep 600", RUN)
        process_on(phone, sleeping(600))
        phone.kill(sleeping(600))
        assert wait_for_end(adb).returncode == 137
        assert fetch_detached(adb, RUN).stdout == b"before\n"
        assert ended_clean(adb, phone)

    def test_all_of_it_killed(self, adb, phone):
        start_detached(adb, "echo before; env sleep 600", RUN)
        process_on(phone, sleeping(600))
        phone.kill(".")
        assert poll_detached(adb, RUN).state == "lost"
        assert fetch_detached(adb, RUN).returncode == -1
        assert ended_clean(adb, phone)


class TestKilling:
    def test_takes_children_along(self, adb, phone):
        start_detached(adb, "env sleep 600 & (env sleep 601; true) & env sleep 602", RUN)
        for seconds in (600, 601, 602):
            process_on(phone, sleeping(seconds))
        kill_detached(adb, RUN)
        assert phone.processes() == []
        assert poll_detached(adb, RUN).state == "lost"
        assert ended_clean(adb, phone)

    def test_children_whose_leader_is_gone(self, adb, phone):
        status = start_detached(adb, "env sleep 600", RUN)
        process_on(phone, sleeping(600))
        adb.check(["kill", "-9", str(status.pid)])
        assert phone.processes()
        assert ended_clean(adb, phone)

    def test_spares_a_process_that_has_its_number_by_now(self, adb, phone):
        start_detached(adb, "true", RUN)
        wait_for_end(adb)
        adb.shell("setsid sleep 600 </dev/null >/dev/null 2>&1 &")
        innocent = process_on(phone, sleeping(600))
        note = phone.host_path(f"{RUN}/pid")
        _, ticks, boot = note.read_text().split()
        note.write_text(f"{innocent} {int(ticks) - 1} {boot}\n")
        phone.host_path(f"{RUN}/rc").unlink()
        assert poll_detached(adb, RUN).state == "lost"
        kill_detached(adb, RUN)
        assert [pid for pid, _ in phone.processes()] == [innocent]
        phone.kill(sleeping(600))
        assert ended_clean(adb, phone)

    def test_spares_everything_after_a_reboot(self, adb, phone):
        status = start_detached(adb, "env sleep 600", RUN)
        phone.reboot()
        adb.shell("setsid sleep 601 </dev/null >/dev/null 2>&1 &")
        note = phone.host_path(f"{RUN}/pid")
        innocent = process_on(phone, sleeping(601))
        note.write_text(note.read_text().replace(str(status.pid), str(innocent), 1))
        kill_detached(adb, RUN)
        assert phone.kill(sleeping(601)) == 1
        assert ended_clean(adb, phone)


class TestFailures:
    def test_no_room(self, adb, phone):
        phone.free_bytes = 1000
        with pytest.raises(errors.NoSpaceError) as caught:
            start_detached(adb, "true", RUN)
        assert "free some space" in one_line(caught)
        phone.free_bytes = None
        assert ended_clean(adb, phone)

    def test_a_phone_that_stays_away(self, phone):
        adb = attach(phone, SHORT_S)
        phone.faults.drop_at_command = Trigger("mkdir started", ALWAYS)
        with pytest.raises(errors.ConnectionLostError):
            start_detached(adb, "true", RUN)
        phone.faults.drop_at_command = None
        assert ended_clean(adb, phone)

    def test_boot_and_uptime_may_be_denied(self, adb, phone):
        for path in ("/proc/uptime", "/proc/sys/kernel/random/boot_id"):
            phone.host_path(path).chmod(0)
        start_detached(adb, "exit 4", RUN)
        assert wait_for_end(adb).returncode == 4
        assert ended_clean(adb, phone)


def test_what_was_cut_off_is_swept_away(any_phone):
    adb = attach(any_phone)
    start_detached(adb, WAITS, RUN)
    adb.check(
        f"cd {DEVICE_ROOT}; mkdir -p scripts m; touch scripts/a.sh 'm/ä b.tmp.0123abcd' m/x.tmp"
    )
    sweep_leftovers(adb)
    assert any_phone.files(f"{DEVICE_ROOT}/m") == ["x.tmp"]
    assert poll_detached(adb, RUN).state == "running"
    assert ended_clean(adb, any_phone)


def test_two_phones_side_by_side(make_phone):
    phones = [make_phone("kirin980"), make_phone("bare")]
    adbs = [attach(phone) for phone in phones]
    for adb in adbs:
        start_detached(adb, f"getprop ro.hardware; {WAITS}", RUN)
    for phone in phones:
        go(phone)
    outputs = []
    for adb, phone in zip(adbs, phones, strict=True):
        wait_for_end(adb)
        outputs.append(fetch_detached(adb, RUN).stdout)
        assert ended_clean(adb, phone)
    assert outputs == [b"kirin980\nbefore\nafter\n", b"qcom\nbefore\nafter\n"]


class TestBenchmark:
    """The stand-in for benchmark_model, which really runs the pushed model."""

    MODEL = f"{DEVICE_ROOT}/ä model.tflite"
    PROGRAM = f"{DEVICE_ROOT}/benchmark_model"

    @pytest.fixture
    def command(self, adb, tiny_model, standin_program):
        pytest.importorskip("ai_edge_litert")
        adb.push(tiny_model, self.MODEL)
        adb.push(standin_program, self.PROGRAM, 0o755)
        flags = ["--num_threads=1", "--num_runs=3", "--min_secs=0", "--warmup_min_secs=0"]
        return ["taskset", "c0", self.PROGRAM, f"--graph={self.MODEL}", *flags]

    def test_runs_in_the_foreground(self, adb, command):
        result = adb.shell(command, 300)
        log = parse_log(result.stdout, result.stderr, result.returncode)
        assert log.summary.count == 3

    def test_runs_detached_through_an_unplugging(self, adb, phone, command):
        start_detached(adb, command, RUN)
        phone.drop()
        wait_for_end(adb)
        output = fetch_detached(adb, RUN)
        assert parse_log(output.stdout, output.stderr, output.returncode).summary.count == 3
        assert ended_clean(adb, phone)

    def test_killed_for_want_of_memory(self, adb, phone, command):
        start_detached(adb, [*command, "--min_secs=600"], RUN)
        process_on(phone, "python.*benchmark_model")
        phone.kill("python.*benchmark_model")
        assert wait_for_end(adb).returncode == 137
        assert ended_clean(adb, phone)
