"""Trouble of a server is asked again and never a verdict; what it says of a program is asked once."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
import threading
import time
from typing import Any

import pytest
from fastapi import Request, Response

from sandboxes import InternalError, Judgement, Limits, SandboxUnavailable, Verdict
from sandboxes.remote import Patience, RemoteSandbox
from tests.sandboxes.http_server import wait_until
from tests.sandboxes.remote.servers import BRIEF, ECHO, HELLO, Scripted, hang, hang_up, ran, remote

TROUBLE = {
    "busy": Response("{}", 429, {"Retry-After": "0"}),
    "busy without a word": Response("", 429),
    "ill": Response("Internal Server Error", 500),
    "behind a gateway": Response("<html>", 502),
    "garbage": Response("<html>it works</html>"),
    "cut off": Response(json.dumps(ran())[:-5]),
    "deep": Response("[" * 100_000),
    "of another kind": [1, 2],
    "of wrong types": {"status": "Success", "run_result": {"status": "Finished", "return_code": "zero"}},
    "without a result": {"status": "Success", "message": ""},
    "without a return code": ran(return_code=None),
    "without an end": {"status": "Success", "run_result": {"status": "Running"}},
    "not a number": Response(json.dumps(ran(execution_time=float("nan")))),
    "compressed": Response(gzip.compress(json.dumps(ran()).encode()), headers={"Content-Encoding": "gzip"}),
    "SandboxError": {"status": "SandboxError", "message": "no cgroup left"},
    "Error": ran(status="Error", return_code=None),
    "a hang-up": hang_up,
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_trouble_of_the_server_is_asked_again_and_says_nothing_of_the_program(trouble):
    app = Scripted(trouble, trouble, ran())
    with remote(app) as opened:
        assert opened.judge(ECHO, HELLO).verdict is Verdict.ACCEPTED
    assert len(app.requests) == 3


def test_a_server_that_hangs_is_asked_again():
    app = Scripted(hang, ran())
    with remote(app, patience=Patience(seconds=3, backoff=0.01)) as opened:
        assert opened.judge(ECHO, HELLO, Limits(cpu_s=0.1)).verdict is Verdict.ACCEPTED
    assert len(app.requests) == 2


@pytest.mark.parametrize("trouble", [*TROUBLE.values(), hang], ids=[*TROUBLE, "hanging"])
def test_trouble_that_lasts_is_no_verdict_and_never_a_zero(trouble):
    app = Scripted(trouble)
    with remote(app, patience=BRIEF) as opened:
        judgement = opened.judge(ECHO, HELLO * 2, Limits(cpu_s=0.1))
    assert judgement.verdict is Verdict.INTERNAL_ERROR
    assert (judgement.passed, judgement.fraction) == (None, None)
    assert "gave up" in judgement.note


def test_a_server_that_is_not_there_is_no_verdict():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with RemoteSandbox(f"http://127.0.0.1:{port}", patience=BRIEF) as opened:
        assert opened.judge(ECHO, HELLO).verdict is Verdict.INTERNAL_ERROR
        with pytest.raises(InternalError, match="ConnectError"):
            opened.run(ECHO)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (ran(return_code=1), Verdict.RUNTIME_ERROR),
        (ran(status="TimeLimitExceeded", return_code=None), Verdict.TIME_LIMIT),
        (ran("other\n"), Verdict.WRONG_ANSWER),
    ],
)
def test_what_a_server_says_of_a_program_is_never_asked_twice(answer, verdict):
    app = Scripted(answer)
    with remote(app) as opened:
        assert opened.judge(ECHO, HELLO).verdict is verdict
    assert len(app.requests) == 1


def test_the_wait_that_a_server_asks_for_is_kept_or_not_begun():
    first: list[float] = []

    async def strict(request: Request) -> Response:
        first.append(time.monotonic())
        early = time.monotonic() < first[0] + 0.5
        return Response("", 429, {"Retry-After": "1"}) if early else Response(json.dumps(ran()))

    app = Scripted(strict)
    with remote(app) as opened:
        assert opened.judge(ECHO, HELLO).verdict is Verdict.ACCEPTED
    assert len(app.requests) == 2
    app = Scripted(Response("", 429, {"Retry-After": "3600"}))
    with remote(app) as opened:
        assert opened.judge(ECHO, HELLO).verdict is Verdict.INTERNAL_ERROR
    assert len(app.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_request_that_is_declined_is_not_repeated_and_is_no_verdict(status):
    app = Scripted(Response('{"detail": "not this one"}', status))
    with remote(app) as opened:
        judgement = opened.judge(ECHO, HELLO)
    assert judgement.verdict is Verdict.INTERNAL_ERROR
    assert "not this one" in judgement.note
    assert len(app.requests) == 1


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Response("{}", 401), "token"),
        (Response("not found", 404), "dialect 'fusion'"),
        (Response("", 307, {"Location": "/elsewhere"}), "dialect 'fusion'"),
    ],
)
def test_a_server_that_is_not_the_one_meant_is_an_error_at_once(answer, complaint):
    with remote(Scripted(answer)) as opened, pytest.raises(SandboxUnavailable, match=complaint):
        opened.judge(ECHO, HELLO)


def test_after_some_failures_in_a_row_no_more_is_sent_for_a_while():
    app = Scripted(Response("", 500))
    patience = Patience(seconds=0.05, backoff=0.1, failures=2, pause=3600)
    with remote(app, patience=patience) as opened:
        for _ in range(5):
            assert opened.judge(ECHO, HELLO).verdict is Verdict.INTERNAL_ERROR
    assert len(app.requests) == 2


def test_after_the_pause_one_request_finds_out_whether_the_server_is_well():
    app = Scripted(Response("", 500), Response("", 500), ran())
    patience = Patience(seconds=0.05, backoff=0.1, failures=2, pause=0.2)
    with remote(app, patience=patience) as opened:
        for _ in range(2):
            assert opened.judge(ECHO, HELLO).verdict is Verdict.INTERNAL_ERROR
        wait_until(lambda: opened.judge(ECHO, HELLO).verdict is Verdict.ACCEPTED)
        assert opened.judge(ECHO, HELLO).verdict is Verdict.ACCEPTED


def test_an_answer_without_end_is_cut_off():
    async def flood(request: Request) -> Response:
        return Response('{"status": "Success", "run_result": {"stdout": "' + "x" * (30 << 20))

    limits = Limits(output_kb=1)
    with remote(Scripted(flood)) as opened:
        assert opened.judge(ECHO, HELLO, limits).verdict is Verdict.OUTPUT_LIMIT
    with remote(Scripted(flood), "mars") as opened:
        assert opened.judge(ECHO, HELLO, limits).verdict is Verdict.INTERNAL_ERROR


def test_no_more_requests_are_under_way_than_there_are_workers():
    async def slowly(request: Request) -> Any:
        await asyncio.sleep(0.02)
        return Response(json.dumps(ran()))

    async def judge_all(opened: RemoteSandbox) -> list[Judgement]:
        return await asyncio.gather(*(opened.judge_async(ECHO, HELLO * 5) for _ in range(6)))

    app = Scripted(slowly)
    with remote(app, workers=3) as opened:
        judgements = asyncio.run(judge_all(opened))
    assert all(judgement.passed for judgement in judgements)
    assert (len(app.requests), app.most_under_way) == (30, 3)


def test_closing_ends_what_is_under_way_without_a_verdict():
    app = Scripted(hang)
    judgements: list[Judgement] = []
    with remote(app) as opened:
        thread = threading.Thread(target=lambda: judgements.append(opened.judge(ECHO, HELLO)))
        thread.start()
        wait_until(lambda: app.under_way)
        opened.close()
        thread.join()
        assert judgements[0].verdict is Verdict.INTERNAL_ERROR
        with pytest.raises(InternalError, match="the sandbox is closed"):
            opened.judge(ECHO, HELLO)
        opened.close()


def test_a_forked_process_makes_connections_of_its_own():
    app = Scripted(ran())
    with remote(app) as opened:
        assert opened.judge(ECHO, HELLO).passed
        child = os.fork()
        if child == 0:
            os._exit(0 if opened.judge(ECHO, HELLO).passed else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert opened.judge(ECHO, HELLO).passed


def test_judging_stops_sending_at_the_first_failure_when_asked_to():
    app = Scripted(ran(), ran("other"), ran())
    with remote(app) as opened:
        judgement = opened.judge(ECHO, HELLO * 4, stop_early=True)
    codes = [case.verdict.code for case in judgement.cases]
    assert codes == ["AC", "WA", "SKIPPED", "SKIPPED"]
    assert len(app.requests) == 2
