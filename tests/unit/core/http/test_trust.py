"""TLS with authorities and a client certificate of one's own, against a server that wants one."""

from __future__ import annotations

import pytest
from fakes.certificates import make_authority

from x0tta_cli.core.errors import ConfigurationError, UnavailableError
from x0tta_cli.core.http import Client, Trust
from x0tta_cli.core.listener import Answer, TlsFiles, listen


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority with a certificate for 127.0.0.1, and one for a client."""
    folder = tmp_path_factory.mktemp("certificates")
    return make_authority(folder, server="IP:127.0.0.1", client="DNS:client")


@pytest.fixture
def url(certificates):
    tls = TlsFiles(
        certificates / "server.pem", certificates / "server.key", certificates / "ca.pem"
    )
    with listen("127.0.0.1:0", lambda _: Answer(body=b"in"), tls=tls) as listener:
        yield listener.url


def test_a_client_certificate_lets_us_in(url, certificates):
    trust = Trust(certificates / "ca.pem", certificates / "client.pem", certificates / "client.key")
    with Client(url, trust=trust, retries=0) as client:
        assert client.request("GET", "/").body == b"in"


@pytest.mark.parametrize("names", [(None, "client.pem", "client.key"), ("ca.pem", None, None)])
def test_without_the_authority_or_the_certificate_there_is_no_answer(url, certificates, names):
    files = [certificates / name if name else None for name in names]
    with (
        pytest.raises(UnavailableError) as caught,
        Client(url, trust=Trust(*files), retries=0) as client,
    ):
        client.request("GET", "/")
    assert caught.value.code == "http.unreachable"


@pytest.mark.parametrize(
    "names",
    [
        ("missing.pem", None, None),
        ("ca.key", None, None),
        ("ca.pem", "client.pem", "server.key"),
    ],
)
def test_files_that_do_not_fit_are_named(certificates, names):
    files = [certificates / name if name else None for name in names]
    with pytest.raises(ConfigurationError) as caught:
        Client("https://127.0.0.1:1", trust=Trust(*files))
    assert caught.value.code == "http.bad_certificate"
    assert names[0] in str(caught.value)
