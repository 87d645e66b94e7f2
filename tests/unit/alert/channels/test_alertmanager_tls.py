"""The channel `alertmanager` over TLS with certificates on both sides, and over IPv6."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.certificates import make_authority, make_expired

from x0tta_cli.alert.model import DeliveryState
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.listener import TlsFiles, listen
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.drill.receiver import Receiver


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority with a certificate for ::1, one for a client, and one that has run out."""
    folder = tmp_path_factory.mktemp("certificates")
    make_authority(folder, server="IP:::1", client="IP:::1")
    make_expired(folder, "old", "server.key", "IP:::1")
    return folder


def serving(receiver, folder, certificate="server.pem"):
    files = TlsFiles(folder / certificate, folder / "server.key", folder / "ca.pem")
    return listen("[::1]:0", receiver.answer, tls=files)


def send(folder, url, **own):
    """Send an alert; gives its state, and what the channel says."""
    channel = {"kind": "alertmanager", "urls": (url,), "ca_file": folder / "ca.pem"} | own
    settings = AlertSettings.model_validate({"channels": {"am": channel}})
    began = datetime.now(UTC) - timedelta(minutes=1)
    with outbox(settings, 5.0) as opened:
        with opened.intake() as intake:
            number = intake.fire(Notice("Tls", Severity.WARNING, {}, began))
        opened.deliver(10)
        [delivery] = opened.outcome(number)
    return delivery.state, delivery.detail


def client_files(folder):
    return {"certificate_file": folder / "client.pem", "key_file": folder / "client.key"}


def test_certificates_on_both_sides_over_ipv6(state, certificates):
    receiver = Receiver()
    with serving(receiver, certificates) as listener:
        told, _ = send(certificates, listener.url, **client_files(certificates))
    assert told is DeliveryState.VISIBLE
    assert [alert.labels["alertname"] for alert in receiver.active()] == ["Tls"]


def test_a_certificate_that_has_run_out_buries_nothing(state, certificates):
    receiver = Receiver()
    with serving(receiver, certificates, "old.pem") as listener:
        told, words = send(certificates, listener.url, **client_files(certificates))
    assert (told, "certificate has expired" in words) == (DeliveryState.QUEUED, True)
    assert receiver.active() == []


def test_without_our_certificate_it_waits_until_the_configuration_is_mended(state, certificates):
    receiver = Receiver()
    with serving(receiver, certificates) as listener:
        told, _ = send(certificates, listener.url)
        assert told is DeliveryState.QUEUED
        now = datetime.now(UTC).timestamp()
        listing.retry((), now, now + 3600)
        told, _ = send(certificates, listener.url, **client_files(certificates))
    assert told is DeliveryState.VISIBLE
