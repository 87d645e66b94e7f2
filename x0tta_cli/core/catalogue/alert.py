"""Errors of `x0tta alert`, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "alert.bad_apprise_url",
        ExitStatus.CONFIGURATION,
        "apprise can't use a channel's URL",
        "apprise knows no service by this URL, or something in the URL is missing. What "
        "waits for the channel stays in the outbox. The URL is not shown: it holds secrets.",
        "Compare it with the service's page in apprise's documentation, and write it anew into the "
        "variable, file or credential to which the channel's url points.",
        "x0tta alert test --channel chat",
    ),
    Entry(
        "alert.bad_duration",
        ExitStatus.USAGE,
        "A duration is none",
        "What lasts, repeats or is waited for takes longer than nothing, and less than a hundred "
        "years: whatever ends then still has a date.",
        "Give one that is meant.",
        "x0tta alert send HighLatency --lasting 4h",
    ),
    Entry(
        "alert.bad_key",
        ExitStatus.USAGE,
        "A deduplication key can't be used",
        "A key of your own may have 1 to 255 printable characters, as many as PagerDuty takes.",
        "Give a shorter one, or none: the hash of name and labels is one already.",
        "x0tta alert send HighLatency --dedup-key cart-latency",
    ),
    Entry(
        "alert.bad_matcher",
        ExitStatus.USAGE,
        "A silence's matcher can't be read",
        "A matcher is the name of a label, one of = != =~ !~, and a value.",
        "Write it so, in quotes where a shell would take signs of it for itself.",
        'x0tta alert silence add "component=~cart|shop" --for 2h',
    ),
    Entry(
        "alert.bad_name",
        ExitStatus.USAGE,
        "An alert can't be called so",
        "A name has 1 to 200 printable characters. An Alertmanager drops one that is empty, and "
        "routes, silences and people go by it.",
        "Name what is wrong, as HighLatency; what varies belongs into labels and annotations.",
        "x0tta alert send HighLatency --label component=cart",
    ),
    Entry(
        "alert.bad_pair",
        ExitStatus.USAGE,
        "A label or annotation is no NAME=VALUE",
        "Labels and annotations are given as a name, '=', and a value.",
        "Write it so; an empty value is no label.",
        "x0tta alert send HighLatency --label component=cart",
    ),
    Entry(
        "alert.bad_rule_file",
        ExitStatus.USAGE,
        "A file is no rule file",
        "It is no YAML, or lacks what Prometheus' rule files have: groups, and in them rules.",
        "Name another file, or write it anew.",
        "x0tta alert rules render /etc/prometheus/rules",
    ),
    Entry(
        "alert.bad_rules",
        ExitStatus.CONFIGURATION,
        "The configuration makes rules that can't work",
        "A rule's window is too short for what it counts, or a route names channels or quiet "
        "hours that there are not.",
        "Correct what it names.",
        "x0tta alert rules check",
    ),
    Entry(
        "alert.bad_severity",
        ExitStatus.USAGE,
        "There is no such severity",
        "Severities are info, warning, error and critical.",
        "Choose one of them.",
        "x0tta alert send HighLatency --severity critical",
    ),
    Entry(
        "alert.bad_silence",
        ExitStatus.USAGE,
        "Alertmanager does not take a silence",
        "It wants one matcher at least that an alert without the label would not fulfil, an "
        "expression that RE2 can read, and an end after the start.",
        "Correct what it says.",
        "x0tta alert silence add alertname=HighLatency --for 2h",
    ),
    Entry(
        "alert.bad_start",
        ExitStatus.USAGE,
        "An alert can't begin in the future",
        "The instant given is a time to come by this machine's clock.",
        "Say when it truly began, or leave it out: then it begins now.",
        "x0tta alert send HighLatency --since -10m",
    ),
    Entry(
        "alert.bad_webhook",
        ExitStatus.USAGE,
        "What was posted is no notification of Alertmanager",
        "The address takes what a webhook_config of Alertmanager posts, version 4, alone.",
        "Point Alertmanager's webhook_config at it, and nothing else.",
        "x0tta alert serve",
    ),
    Entry(
        "alert.channel_defect",
        ExitStatus.INTERNAL,
        "A channel has a defect",
        "The code of a channel has failed in a way that nobody foresaw. What waits for it stays "
        "in the outbox and is tried again; the other channels go on.",
        "Report it, with the log of the same time.",
        "x0tta alert outbox list --debug",
    ),
    Entry(
        "alert.channel_unreachable",
        ExitStatus.NO,
        "A channel of alerts can't be used",
        "The channel's server does not answer, or does not know us. Alerts for it wait in the "
        "outbox meanwhile.",
        "See whether the server is well, and whether the channel's URL and secrets are right.",
        "x0tta alert test --channel am",
    ),
    Entry(
        "alert.foreign_file",
        ExitStatus.CONFLICT,
        "A file was not written by x0tta",
        "A file of somebody else's stands where rules are to be written; it is not replaced.",
        "Write to another place, or move the file away.",
        "x0tta alert rules render /etc/prometheus/rules",
    ),
    Entry(
        "alert.no_channel",
        ExitStatus.CONFIGURATION,
        "There is nobody to tell",
        "The section [alert] names no channel.",
        "Add one, with its kind.",
        "x0tta config schema | jq .definitions.AlertSettings",
    ),
    Entry(
        "alert.not_an_alertmanager",
        ExitStatus.UNAVAILABLE,
        "What answers is no Alertmanager",
        "The answer has another form than that of Alertmanager's API v2: a proxy, a log-in page "
        "or another service may stand there.",
        "Name Alertmanager's own URL, with its route prefix where it has one.",
        "curl http://127.0.0.1:9093/api/v2/status",
    ),
    Entry(
        "alert.not_delivered",
        ExitStatus.UNAVAILABLE,
        "An alert was not delivered",
        "A server did not take an alert, or took it and does not show it.",
        "See whether the server is well, compare the clocks, and run the command again.",
        "x0tta alert test",
    ),
    Entry(
        "alert.not_permitted",
        ExitStatus.NOT_PERMITTED,
        "The server of a channel does not let us in",
        "It, or a proxy before it, wants another name, password or token; at Telegram the bot may "
        "also have been thrown out of the chat.",
        "Correct the channel's secrets, and let the bot into the chat.",
        "x0tta doctor alert",
    ),
    Entry(
        "alert.rules_unavailable",
        ExitStatus.UNAVAILABLE,
        "A Prometheus does not tell its rules",
        "What answers at the URL has another form than Prometheus' /api/v1/rules.",
        "Name Prometheus' own URL, with its route prefix where it has one.",
        "x0tta alert rules diff --url http://127.0.0.1:9090",
    ),
    Entry(
        "alert.smtp_unavailable",
        ExitStatus.UNAVAILABLE,
        "A mail server takes nothing now",
        "It does not answer, ends the connection, or says that it will take mail later. What waits "
        "for it stays in the outbox and is tried again.",
        "See whether it is up, and whether host, port and security of the channel are right.",
        "x0tta alert test --channel mail",
    ),
    Entry(
        "alert.unavailable",
        ExitStatus.UNAVAILABLE,
        "The server of a channel does not do what it was asked",
        "It, or a proxy before it, answered with a status that says later or never.",
        "See whether the server is well, and whether the URL is its own.",
        "x0tta doctor alert",
    ),
    Entry(
        "alert.unknown_channel",
        ExitStatus.CONFIGURATION,
        "There is no such channel",
        "A route, an option or an interrupted operation names a channel that the section "
        "[alert] does not have, or has with another kind.",
        "Correct the name, or configure the channel.",
        "x0tta config show alert",
    ),
    Entry(
        "alert.unknown_key",
        ExitStatus.NOT_FOUND,
        "No alert has this key",
        "Neither the outbox of this machine nor an Alertmanager has an alert with the key.",
        "Take the key from the list.",
        "x0tta alert list",
    ),
    Entry(
        "alert.unknown_peer",
        ExitStatus.NOT_FOUND,
        "A channel has no such peer",
        "A peer that is not, or no more, among the channel's urls was named.",
        "Name one that is.",
        "x0tta config show alert",
    ),
    Entry(
        "alert.unknown_row",
        ExitStatus.NOT_FOUND,
        "Nothing with this number waits in the outbox",
        "What was delivered, dropped or collapsed does not wait any more.",
        "Take the number from the list.",
        "x0tta alert outbox list",
    ),
    Entry(
        "alert.unknown_rule",
        ExitStatus.CONFIGURATION,
        "There is no such rule",
        "The section [alert.rules.change] names a rule that is not shipped.",
        "Correct its name.",
        "x0tta alert rules render  # shows them all",
    ),
    Entry(
        "alert.unknown_silence",
        ExitStatus.NOT_FOUND,
        "There is no such silence",
        "No Alertmanager that is configured has a silence with this id.",
        "Take the id from the list.",
        "x0tta alert silence list --all",
    ),
    Entry(
        "alert.which_channel",
        ExitStatus.USAGE,
        "Several channels are meant",
        "More than one channel is of the kind that the command works on.",
        "Name one.",
        "x0tta alert silence add alertname=HighLatency --channel am",
    ),
)
