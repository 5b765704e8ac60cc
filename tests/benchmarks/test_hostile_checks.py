"""What the corpus tool sees of the host, and which checks and rules that breaks."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.hostile.checks import Attempt, Trial, broken, prepare
from benchmarks.hostile.corpus import Entry, Task
from benchmarks.hostile.host import SECRET, Host, Watch
from benchmarks.hostile.machine import survivors
from benchmarks.hostile.rules import Answer, Problem, at_once, count, problems
from sandboxes.types import CaseResult, Judgement, Limits, Outcome, Program, StdioCase, Verdict

pytestmark = pytest.mark.usefixtures("folder")


def judged(verdict: Verdict = Verdict.ACCEPTED, **fields: Any) -> Attempt:
    return Attempt(Judgement(verdict, (CaseResult(verdict, wall_s=0.1, **fields),)))


def entry(**fields: Any) -> Entry:
    usual = Entry("x", "verdict", Program("print(3)"), Task((StdioCase("1 2\n", "3\n"),)), Limits(output_kb=64))
    return replace(usual, **fields)


def trial(host: Host, *attempts: Attempt, rule: str = "alone", of: Entry | None = None, **fields: Any) -> Trial:
    usual = Trial(rule, of or entry(), attempts or (judged(),), Watch(rss_growth=0), host)
    return replace(usual, **fields)


class TestHost:
    def test_what_programs_look_for_is_there_and_nothing_runs_on(self, folder: Path) -> None:
        with Host(["42"]) as host:
            assert host.secret_file.read_text() == host.secret == os.environ[SECRET]
            assert host.secret_file.stat().st_mode & 0o777 == 0o644
            with socket.socket(socket.AF_UNIX) as visitor:
                visitor.connect(str(folder / "canary.sock"))
            sentinel, scratch = host.sentinel, host.scratch
            assert sentinel.poll() is None
        assert sentinel.poll() is not None
        assert not scratch.exists()

    def test_a_calm_run_shows_nothing(self, host: Host) -> None:
        with host.watch() as watch:
            pass
        assert (watch.inotify_refused, watch.stopped, watch.sentinel_died, watch.oom_kills) == (0, False, False, 0)
        assert watch.rss_growth is not None

    def test_the_peak_of_memory_counts_even_when_it_is_given_back(self, host: Host) -> None:
        with host.watch() as watch:
            held = bytearray(b"x") * (96 << 20)
            del held
        assert watch.rss_growth is not None and watch.rss_growth > 90 << 20

    def test_the_death_of_the_sentinel_is_seen(self, host: Host) -> None:
        with host.watch() as watch:
            host.sentinel.kill()
            host.sentinel.wait()
        assert broken(trial(host, watch=watch), "host_alive") == "the sentinel process died"

    def test_a_harness_that_is_stopped_goes_on_and_says_so(self, folder: Path) -> None:
        code = (
            "import os, pathlib, signal, sys, time\n"
            "from benchmarks.hostile import host as hosts\n"
            "hosts.FOLDER = pathlib.Path(sys.argv[1])\n"
            "with hosts.Host([]) as host:\n"
            "    with host.watch() as watch:\n"
            "        time.sleep(0.5)\n"
            "        os.kill(os.getpid(), signal.SIGSTOP)\n"
            "    print(watch.stopped)\n"
        )
        command = [sys.executable, "-c", code, str(folder)]
        done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("True\n", "")

    def test_processes_of_the_harness_are_found_but_not_the_sentinel(self, host: Host) -> None:
        with subprocess.Popen(["sleep", "60"]) as process:
            assert process.pid in host.processes()
            process.kill()
        assert process.pid not in host.processes()
        assert host.sentinel.pid not in host.processes()

    def test_survivors_are_found_by_their_name_wherever_they_are(self) -> None:
        with subprocess.Popen(["MARSSURV", "60"], executable="/bin/sleep", start_new_session=True) as process:
            while not survivors():
                time.sleep(0.01)
            assert process.pid in survivors()
            process.kill()
        assert process.pid not in survivors()


class TestChecks:
    @pytest.mark.parametrize("text", ["PWNED:x:y", "before\nPWNED:x:y\nafter"])
    def test_a_line_that_claims_success_breaks_no_pwned(self, host: Host, text: str) -> None:
        assert "PWNED:x:y" in broken(trial(host, judged(), judged(stderr=text)), "no_pwned")
        assert "PWNED:x:y" in broken(trial(host, judged(stdout=text)), "no_pwned")
        assert not broken(trial(host, judged(stderr="PWNED?:maybe")), "no_pwned")

    def test_claims_and_leaks_are_heard_however_late_in_the_output(self, host: Host) -> None:
        late = b"x\n" * 50_000
        with host.watch() as watch:
            host.hear(Outcome("exited", stderr=late + b"PWNED:x:late", stdout=late + host.secret.encode()))
        assert "PWNED:x:late" in broken(trial(host, watch=watch), "no_pwned")
        assert broken(trial(host, watch=watch), "secret_absent")

    def test_the_secret_is_looked_for_in_outputs_notes_files_and_logs(self, host: Host) -> None:
        assert "output" in broken(trial(host, judged(stdout=f"<{host.secret}>")), "secret_absent")
        assert "output" in broken(trial(host, judged(note=host.secret)), "secret_absent")
        fetched = Attempt(None, fetched={"out": host.secret.encode()})
        assert "file" in broken(trial(host, fetched), "secret_absent")
        with host.watch() as watch:
            logging.getLogger("sandboxes").debug("it says %s", host.secret)
        assert "log" in broken(trial(host, watch=watch), "secret_absent")
        assert not broken(trial(host), "secret_absent")

    def test_control_characters_in_the_log_break_logs_escaped(self, host: Host) -> None:
        with host.watch() as watch:
            logging.getLogger("sandboxes").warning("a program wrote \x1b[2J")
        assert broken(trial(host, watch=watch), "logs_escaped")
        with host.watch() as watch:
            logging.getLogger("sandboxes").warning("a program wrote %r", "\x1b[2J")
        assert not broken(trial(host, watch=watch), "logs_escaped")

    def test_a_path_that_exists_breaks_no_path_unless_it_was_there_before(self, host: Host, tmp_path: Path) -> None:
        path = tmp_path / "marker"
        path.symlink_to("nowhere")
        assert broken(trial(host), f"no_path:{path}")
        prepare((f"no_path:{path}",))
        assert not broken(trial(host), f"no_path:{path}")
        assert "absolute" in broken(trial(host), "no_path:relative")

    def test_shared_memory_with_the_key_breaks_no_sysv_shm(self, host: Host) -> None:
        key = 0x4D415253
        prepare((f"no_sysv_shm:{key}",))
        assert not broken(trial(host), f"no_sysv_shm:{key:#x}")
        assert ctypes.CDLL(None).shmget(key, 4096, 0o1600) >= 0
        assert broken(trial(host), f"no_sysv_shm:{key:#x}")
        prepare((f"no_sysv_shm:{key}",))
        assert not broken(trial(host), f"no_sysv_shm:{key}")

    def test_a_changed_or_missing_canary_breaks_canary_intact(self, host: Host) -> None:
        assert not broken(trial(host), "canary_intact")
        host.secret_file.write_text("other")
        assert "changed" in broken(trial(host), "canary_intact")
        host.secret_file.unlink()
        assert "gone" in broken(trial(host), "canary_intact")

    def test_memory_may_grow_by_four_outputs_of_each_copy_and_some_slack(self, host: Host) -> None:
        most = 4 * 64 * 1024 + (32 << 20)
        for growth, copies, holds in ((most - 1, 1, True), (most, 1, False), (most, 2, True)):
            seen = trial(host, *[judged()] * copies, watch=Watch(rss_growth=growth))
            assert bool(broken(seen, "harness_rss_bounded")) is not holds
        assert "could not" in broken(trial(host, watch=Watch()), "harness_rss_bounded")

    def test_the_next_run_must_be_accepted_and_silent(self, host: Host) -> None:
        assert broken(trial(host), "next_run_ok")
        assert broken(trial(host, after=judged(Verdict.WRONG_ANSWER)), "next_run_ok")
        assert not broken(trial(host, after=judged()), "next_run_ok")
        assert broken(trial(host, after=judged(stderr="a word")), "next_run_no_pwned")
        assert not broken(trial(host, after=judged()), "next_run_no_pwned")

    def test_two_copies_must_have_started_together(self, host: Host) -> None:
        def two(spread: float) -> Trial:
            return trial(host, Attempt(None, started=1.0), Attempt(None, started=1.0 + spread), rule="two")

        assert not broken(two(0.01), "run_two_in_parallel")
        assert broken(two(0.2), "run_two_in_parallel")

    @pytest.mark.parametrize(
        ("check", "fields"),
        [
            ("no_survivors", {"survivors": ("MARSSURV (7)",)}),
            ("no_leftovers", {"leftovers": ("box/x",)}),
            ("host_inotify_ok", {"watch": Watch(inotify_refused=1)}),
            ("harness_alive", {"watch": Watch(stopped=True)}),
            ("host_alive", {"watch": Watch(oom_kills=1)}),
        ],
    )
    def test_what_was_seen_breaks_the_check_that_asks_for_it(self, host: Host, check: str, fields: dict) -> None:
        assert broken(trial(host, **fields), check)
        assert not broken(trial(host), check)

    def test_a_check_that_nobody_knows_is_broken(self, host: Host) -> None:
        assert "does not know" in broken(trial(host), "no_magic:7")
        assert broken(trial(host), "no_sysv_shm:word").startswith("could not be checked")


class TestRules:
    def test_a_verdict_must_be_in_verdict_in_and_not_in_never(self, host: Host) -> None:
        either = entry(verdict_in=frozenset({"AC", "WA"}), never=frozenset({"WA", "IE"}))
        verdicts = (Verdict.ACCEPTED, Verdict.WRONG_ANSWER, Verdict.TIME_LIMIT)
        found = [problems(trial(host, judged(verdict), of=either)) for verdict in verdicts]
        assert [[each.check for each in some] for some in found] == [[], ["verdict"], ["verdict"]]

    def test_no_verdict_is_a_wrong_verdict(self, host: Host) -> None:
        [problem] = problems(trial(host, Attempt(None, "raised OSError: no")))
        assert problem.check == "verdict"
        assert "raised OSError" in problem.text

    def test_a_test_that_takes_too_long_is_reported(self, host: Host) -> None:
        late = Attempt(Judgement(Verdict.ACCEPTED, (CaseResult(Verdict.ACCEPTED, wall_s=13.0),)))
        slow = Attempt(judged().judgement, seconds=13.0)
        assert [each.check for each in problems(trial(host, late))] == ["max_wall_s"]
        assert [each.check for each in problems(trial(host, slow))] == ["max_wall_s"]
        assert not problems(trial(host, slow, rule="parallel"))

    def test_the_honest_runs_before_and_after_must_be_accepted(self, host: Host) -> None:
        bad = judged(Verdict.RUNTIME_ERROR)
        found = problems(trial(host, rule="between", before=bad, after=bad))
        assert [each.check for each in found] == ["run_before_ok", "next_run_ok"]

    def test_a_sandbox_that_hangs_gives_no_verdict(self) -> None:
        def hang() -> Attempt:
            time.sleep(60)
            return judged()

        assert [each.verdict for each in at_once(2, hang, 0.05)] == ["none", "none"]

    def test_the_report_counts_programs_checks_and_honest_ones(self, host: Host) -> None:
        honest = entry(id="b1", category="benign")
        rejected = trial(host, judged(Verdict.TIME_LIMIT), of=honest)
        answers = [
            Answer(honest, (rejected,), tuple(problems(rejected))),
            Answer(entry(), (trial(host),), (Problem("alone", "no_pwned", "x"), Problem("parallel", "no_pwned", "x"))),
        ]
        report = count(answers, {"y": "unknown"}, ["process x (7)"])
        counted = {name: report[name] for name in ("programs", "wrong", "broken_checks", "benign_rejected")}
        assert counted == {"programs": 3, "wrong": 1, "broken_checks": 3, "benign_rejected": 1}
        json.dumps(report)
