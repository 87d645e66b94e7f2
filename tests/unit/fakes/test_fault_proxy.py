"""The proxy does to connections what it says it does."""

from __future__ import annotations

import http.client
import urllib.request

import pytest
from fakes.fault_proxy import Fault, running_proxy
from fakes.http_server import Answer, serving


@pytest.fixture
def seen():
    return []


@pytest.fixture
def proxy(seen):
    def answer(request):
        seen.append(request.body)
        return Answer(200, b"a" * 1000)

    with serving(answer) as url, running_proxy(url) as running:
        yield running


def post(proxy, timeout=5.0):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(proxy.url, b"question", timeout=timeout) as answer:
        return answer.read()


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.DELAY])
def test_what_is_passed_on_arrives_whole(proxy, seen, fault):
    proxy.fault = fault
    assert post(proxy) == b"a" * 1000
    assert seen == [b"question"]


def test_a_refused_connection_is_reset_before_anybody_reads(proxy, seen):
    proxy.fault = Fault.REFUSE
    with pytest.raises((OSError, http.client.HTTPException)):
        post(proxy)
    assert seen == []


def test_a_dropped_request_is_never_answered(proxy, seen):
    proxy.fault = Fault.DROP
    with pytest.raises(TimeoutError):
        post(proxy, 0.3)
    assert seen == []


def test_a_cut_answer_leaves_the_server_having_done_its_work(proxy, seen):
    proxy.fault = Fault.CUT
    with pytest.raises((OSError, http.client.HTTPException)):
        post(proxy)
    assert seen == [b"question"]


def test_a_truncated_answer_ends_early(proxy, seen):
    proxy.fault = Fault.TRUNCATE
    # This client takes the end of the connection for the end of the headers, and of a body.
    assert post(proxy) == b""
    assert seen == [b"question"]


def test_a_connection_that_is_open_ends_when_the_network_changes(proxy):
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=5)
    connection.request("POST", "/", b"question")
    connection.getresponse().read()
    proxy.fault = Fault.DROP
    with pytest.raises((OSError, http.client.HTTPException)):
        _ask_again(connection)
    assert proxy.faulty == 0


def _ask_again(connection):
    connection.request("POST", "/", b"question")
    connection.getresponse()
