"""Commands on the phone: status, output, quoting, timeouts, lost connections."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager

import pytest

from android_bench import errors
from android_bench.adb.command import LONGEST_COMMAND, wrap_command
from android_bench.adb.phone import Adb
from ghostdeploy.fake_phone import ALWAYS, Trigger
from tests.android_bench.adb.test_client import make_program
from tests.android_bench.adb.test_text import HARD
from tests.fake_phone.fixtures import attach, process_on, sleeping

SHORT_S = 0.2
COUNT = "/data/local/tmp/count"
# hangs the first time, and ends at once when repeated
HANGS_ONCE = f"echo run >>{COUNT}; [ $(wc -l <{COUNT}) -gt 1 ] || env sleep 600; echo done"


@contextmanager
def meanwhile(phone, action):
    """Do something as soon as the command has started on the phone."""

    def wait_and_act():
        while not phone.host_path(COUNT).exists():
            time.sleep(0.02)
        # The command's first line, which names what is to be killed, may still be on its way.
        time.sleep(1.0)
        action()

    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    yield
    thread.join()


def one_line(error: pytest.ExceptionInfo[errors.AdbError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


class TestResults:
    def test_streams_and_status(self, adb):
        result = adb.shell("echo out; echo err >&2; exit 3")
        assert (result.stdout, result.stderr, result.returncode) == (b"out\n", b"err\n", 3)

    def test_old_adbd_has_one_stream_but_the_status_all_the_same(self, make_phone):
        result = attach(make_phone("bare")).shell("echo out; echo err >&2; exit 3")
        assert (result.stdout, result.stderr, result.returncode) == (b"out\nerr\n", b"", 3)

    def test_status_of_source(self, any_phone):
        adb = attach(any_phone)
        expected = {"true": 0, "exit 42": 42, "nosuch": 127, "kill -9 $$": 137}
        assert {source: adb.shell(source).returncode for source in expected} == expected
        # a syntax error is 2 in dash and 1 in mksh; it must not hide the end
        assert adb.shell("if").returncode in (1, 2)

    def test_no_newline_at_the_end(self, any_phone):
        assert attach(any_phone).shell(["printf", "a\nb"]).stdout == b"a\nb"

    def test_every_byte_survives(self, adb):
        source = 'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done'
        assert adb.shell(source).stdout == bytes(range(256))

    def test_words_survive(self, any_phone):
        result = attach(any_phone).shell(["printf", "%s|", *HARD])
        assert result.text == "|".join(HARD) + "|"

    def test_an_empty_stdin(self, any_phone):
        assert attach(any_phone).shell("cat; echo end").stdout == b"end\n"

    def test_a_forged_end_is_not_believed(self, adb):
        assert adb.shell("echo; echo gd:0123456789abcdef:0; exit 5").returncode == 5

    def test_much_output(self, adb):
        result = adb.shell("head -c 3000000 /dev/zero | tr '\\0' x")
        assert result.stdout == b"x" * 3_000_000

    def test_check_returns_text_or_says_what_failed(self, adb):
        assert adb.check(["echo", "ä"]) == "ä\n"
        with pytest.raises(errors.CommandFailedError) as caught:
            adb.check("echo why >&2; exit 7")
        assert "status 7" in one_line(caught)
        assert "why" in str(caught.value)
        assert (caught.value.returncode, caught.value.stderr) == (7, b"why\n")

    def test_137_is_named(self, adb):
        with pytest.raises(
            errors.CommandFailedError, match="killed: the phone may be short of mem"
        ):
            adb.check("kill -9 $$")

    @pytest.mark.parametrize("length", [LONGEST_COMMAND, 70_000])
    def test_commands_of_every_length(self, any_phone, length):
        adb = attach(any_phone)
        assert adb.shell(["printf", "%s", "x" * length]).text == "x" * length
        assert adb.shell("#" * length + "\nexit 9").returncode == 9
        longest = max(len(line) for line in any_phone.commands)
        assert longest <= LONGEST_COMMAND

    def test_a_zero_byte(self, adb):
        with pytest.raises(errors.OptionError):
            adb.shell(["echo", "a\0"])

    def test_a_background_job_does_not_hold_the_stream(self, adb, phone):
        adb.shell("env sleep 600 </dev/null >/dev/null 2>&1 &")
        process_on(phone, sleeping(600))
        phone.kill(sleeping(600))


class TestHanging:
    def test_is_killed_here_and_on_the_phone(self, any_phone):
        adb = attach(any_phone)
        with pytest.raises(errors.AdbTimeoutError) as caught:
            adb.shell("echo before; env sleep 600 & env sleep 601", 1)
        assert one_line(caught).startswith(f"no end within 1 s on {any_phone.serial}, killed: ")
        assert b"before" in caught.value.stdout
        assert any_phone.processes() == []

    def test_an_adbd_that_never_answers(self, adb, phone):
        phone.faults.hang_at_command = Trigger("hello")
        with pytest.raises(errors.AdbTimeoutError, match="restart the phone"):
            adb.shell(["echo", "hello"], 1)

    def test_ctrl_c_leaves_nothing_on_the_phone(self, adb, phone):
        main = threading.get_ident()
        with (
            meanwhile(phone, lambda: signal.pthread_kill(main, signal.SIGINT)),
            pytest.raises(KeyboardInterrupt),
        ):
            adb.shell(HANGS_ONCE, 600)
        assert phone.processes() == []


class TestLostConnections:
    def test_at_a_commands_start(self, any_phone):
        adb = attach(any_phone)
        any_phone.faults.drop_at_command = Trigger("hello")
        assert adb.shell(["echo", "hello"]).text == "hello\n"

    def test_in_the_middle_of_output(self, any_phone):
        adb = attach(any_phone)
        any_phone.faults.drop_after_output = Trigger("seq", after_bytes=2000)
        assert adb.shell("seq 2000").text.split() == [str(n) for n in range(1, 2001)]

    def test_again_and_again(self, phone):
        adb = attach(phone)
        phone.faults.drop_at_command = Trigger("hello", ALWAYS)
        with pytest.raises(errors.ConnectionLostError) as caught:
            adb.shell(["echo", "hello"])
        assert one_line(caught) == (
            f"the connection to {phone.serial} was lost in mid-command; check the cable, then run"
            " it again"
        )
        assert caught.value.command[-2] == "shell"

    def test_unplugged_in_mid_command_and_plugged_in_again(self, adb, phone):
        def replug():
            phone.unplug()
            time.sleep(SHORT_S)
            phone.plug()

        with meanwhile(phone, replug):
            assert adb.shell(HANGS_ONCE, 300).text == "done\n"
        # what the lost connection left behind is gone, too
        assert phone.processes() == []

    def test_unplugged_for_good(self, phone):
        adb = attach(phone, patience_s=SHORT_S)
        with (
            meanwhile(phone, phone.unplug),
            pytest.raises(errors.ConnectionLostError, match="check the cable"),
        ):
            adb.shell(HANGS_ONCE, 300)
        with pytest.raises(errors.OfflineError, match="is offline; wake it"):
            adb.shell(["true"])
        phone.plug()
        phone.kill("sleep")

    def test_adb_server_killed_in_mid_command(self, adb, phone, adb_server):
        with meanwhile(phone, adb_server.kill):
            assert adb.shell(HANGS_ONCE, 300).text == "done\n"
        assert phone.host_path(COUNT).read_text() == "run\nrun\n"
        assert phone.processes() == []

    def test_adb_server_killed_between_commands(self, adb, adb_server):
        adb_server.kill()
        assert adb.check(["echo", "hello"]) == "hello\n"

    def test_rebooted_in_mid_command(self, adb, phone):
        with meanwhile(phone, phone.reboot):
            assert adb.shell(HANGS_ONCE, 300).text == "done\n"

    def test_a_process_killed_on_the_phone(self, adb, phone):
        def kill_it():
            process_on(phone, sleeping(600))
            phone.kill(sleeping(600))

        with meanwhile(phone, kill_it):
            result = adb.shell(f"echo x >{COUNT}; env sleep 600")
        assert result.returncode == 137

    def test_the_whole_shell_killed_on_the_phone(self, adb, phone):
        with (
            meanwhile(phone, lambda: phone.kill("sleep 600")),
            pytest.raises(errors.CommandFailedError, match=r"status 137 \(killed"),
        ):
            adb.shell(f"echo x >{COUNT}; env sleep 600")

    @pytest.mark.parametrize("returncode", [0, 255], ids=["adb 29", "adb 36"])
    def test_an_exit_code_that_lies(self, adb, tmp_path, returncode):
        """What both versions do if the phone drops: output cut off, whatever exit code."""
        real = adb.client.command([])[0]
        program = make_program(
            tmp_path,
            f'case "$*" in *lie*) echo cut; exit {returncode};; esac; exec {real} "$@"',
        )
        liar = Adb(adb.serial, type(adb.client)(program), adb.patience_s)
        with pytest.raises(errors.ConnectionLostError):
            liar.shell(["echo", "lie"])

    def test_a_refused_service(self, adb, phone):
        phone.faults.refuse = Trigger("shell", 1)
        assert adb.check(["echo", "hello"]) == "hello\n"
        phone.faults.refuse = Trigger("shell", ALWAYS)
        with pytest.raises(errors.ServiceRefusedError) as caught:
            adb.shell(["echo", "hello"])
        assert "refused the service" in one_line(caught)
        phone.faults.refuse = None


class TestWrapping:
    def test_what_is_cut_off_anywhere_before_its_end_is_lost(self):
        wrapped = wrap_command(["echo", "hello"])
        nonce = wrapped.nonce
        whole = b"gd:%s:pid:12:ab-1\nhello\n\ngd:%s:0\n" % (nonce, nonce)
        assert wrapped.find_result(whole, b"").stdout == b"hello\n"
        assert wrapped.find_process(whole).pid == 12
        for length in range(len(whole)):
            assert wrapped.find_result(whole[:length], b"") is None

    def test_a_three_digit_status_cut_to_one_is_lost(self):
        wrapped = wrap_command(["false"])
        end = b"\n\ngd:%s:137\n" % wrapped.nonce
        assert wrapped.find_result(end, b"").returncode == 137
        assert wrapped.find_result(end[:-1], b"") is None
        assert wrapped.find_result(end[:-3], b"") is None
