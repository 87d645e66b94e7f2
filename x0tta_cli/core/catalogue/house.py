"""Errors that every capability shares, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "config.bad_value",
        ExitStatus.CONFIGURATION,
        "A configured value can't be used",
        "A value in a configuration file or in the environment has another type than its key "
        'takes, or lies outside of its limits. Files are held to their types strictly: "7" is a '
        "text, 7 is a number.",
        "Correct the value at the place that the error names.",
        "X0TTA_DRILL__SEED=7 x0tta drill",
    ),
    Entry(
        "config.exists",
        ExitStatus.CONFLICT,
        "There is a configuration file already",
        "config init writes a new file, and one stands in its place that may hold what somebody "
        "has configured.",
        "Change single keys of it, or replace it whole with --force.",
        "x0tta config set drill.seed 7",
    ),
    Entry(
        "config.missing_key",
        ExitStatus.CONFIGURATION,
        "A key that has no default is not set",
        "The command needs a value that only you can know, and no layer of the configuration has "
        "it.",
        "Set it in a configuration file, or in the environment as X0TTA_SECTION__KEY.",
        "X0TTA_DRILL__SEED=7 x0tta drill",
    ),
    Entry(
        "config.no_such_key",
        ExitStatus.NOT_FOUND,
        "There is no such key or section",
        "The command line names a key that no section of the configuration has; it may be "
        "misspelt, or lack its section.",
        "Choose one that there is.",
        "x0tta config show",
    ),
    Entry(
        "config.no_user_file",
        ExitStatus.CONFIGURATION,
        "The user has no place for a configuration file",
        "Neither HOME nor XDG_CONFIG_HOME is set and the user database knows no home folder, as "
        "in some containers.",
        "Name a file, or write the one of all users.",
        "x0tta config init --config /srv/x0tta.toml",
    ),
    Entry(
        "config.not_toml",
        ExitStatus.CONFIGURATION,
        "A configuration file is not TOML",
        "The file breaks a rule of TOML 1.0, or is not UTF-8; the reason has the line.",
        "Correct the line. Texts stand in quotation marks, a section begins with [NAME].",
        "printf '[drill]\\nseed = 7\\n' > ~/.config/x0tta/config.toml",
    ),
    Entry(
        "config.plain_secret",
        ExitStatus.CONFIGURATION,
        "A secret stands in a configuration file in plain text",
        "Configuration files are copied, shown and kept under version control; x0tta does not "
        "read secrets from them.",
        "Replace the secret, for it may have been read, and write into the file where it is: { "
        'env = "NAME" }, { file = "PATH" } or { credential = "NAME" }.',
        'token = { file = "/etc/x0tta/token" }',
    ),
    Entry(
        "config.unknown_key",
        ExitStatus.CONFIGURATION,
        "A section has no such key",
        "A configuration file or the environment sets a key that the section does not have; it "
        "may be misspelt. In the environment a section and its key stand apart by two underscores.",
        "Correct the name as the error suggests, or remove the line.",
        "X0TTA_DRILL__SEED=7 x0tta drill",
    ),
    Entry(
        "config.unknown_profile",
        ExitStatus.CONFIGURATION,
        "There is no such profile",
        "--profile or X0TTA_PROFILE names a profile that no configuration file has.",
        "Choose one that the error names, or add a table for it.",
        "[profiles.night.drill]",
    ),
    Entry(
        "config.unknown_section",
        ExitStatus.CONFIGURATION,
        "There is no such section",
        "The configuration has a section that belongs to no part of x0tta; it may be misspelt.",
        "Correct its name as the error suggests, or remove it.",
        "[drill]",
    ),
    Entry(
        "extras.missing",
        ExitStatus.UNSUPPORTED,
        "A part of x0tta is not installed",
        "The command needs packages that are installed with an extra of x0tta, to keep the base "
        "small.",
        "Install the extra that the error names into the same environment.",
        "pip install 'x0tta[ml]'",
    ),
    Entry(
        "files.disk_full",
        ExitStatus.UNAVAILABLE,
        "The disk is full",
        "There is no room on the disk, or in the quota, for the file that was to be written. The "
        "file that may have been there before is as it was.",
        "Make room, or write to another disk, and run the command again.",
        "df -h .",
    ),
    Entry(
        "files.is_a_folder",
        ExitStatus.USAGE,
        "A folder stands where a file is needed",
        "The path that was given leads to a folder.",
        "Name the file in it.",
        "x0tta drill --html report.html",
    ),
    Entry(
        "files.no_such_folder",
        ExitStatus.NOT_FOUND,
        "The folder to write to does not exist",
        "A file was to be written into a folder that does not exist; x0tta does not guess whether "
        "that is a slip of the keyboard.",
        "Create the folder, or correct the path.",
        "mkdir -p reports && x0tta drill --html reports/drill.html",
    ),
    Entry(
        "files.not_found",
        ExitStatus.NOT_FOUND,
        "There is no such file or folder",
        "The path that was given leads nowhere.",
        "Compare it with what is there; a relative path begins at the current folder.",
        "ls -l",
    ),
    Entry(
        "files.not_readable",
        ExitStatus.NOT_PERMITTED,
        "A file may not be read",
        "The rights of the file, or of a folder above it, do not let this user read it.",
        "Run as a user who may, or give the right.",
        "ls -l /etc/x0tta/config.toml",
    ),
    Entry(
        "files.not_writable",
        ExitStatus.NOT_PERMITTED,
        "A file may not be written",
        "The rights of the folder do not let this user write there, or its file system is "
        "read-only. The file that may have been there before is as it was.",
        "Write to a folder of your own.",
        "x0tta drill --html ~/drill.html",
    ),
    Entry(
        "files.read_failed",
        ExitStatus.UNAVAILABLE,
        "A file could not be read",
        "The system could not read the file although it is there and may be read: the disk or the "
        "network behind it fails.",
        "See what the system says about the disk, and run the command again.",
        "dmesg | tail",
    ),
    Entry(
        "files.write_failed",
        ExitStatus.UNAVAILABLE,
        "A file could not be written",
        "The system could not write the file although it may be written and there is room: the "
        "disk or the network behind it fails.",
        "See what the system says about the disk, and run the command again.",
        "dmesg | tail",
    ),
    Entry(
        "http.bad_certificate",
        ExitStatus.CONFIGURATION,
        "Files for TLS can't be used",
        "A file of authorities, a client certificate or its key is missing, may not be read, is "
        "not PEM, or the key is that of another certificate.",
        "Name files that this user may read, and a key that fits its certificate.",
        "openssl x509 -in client.pem -noout -subject -dates",
    ),
    Entry(
        "http.bad_url",
        ExitStatus.USAGE,
        "The URL of a server can't be used",
        "It does not begin with http:// or https://, names no host, or has a port that does not "
        "exist.",
        "Write the whole URL.",
        "http://127.0.0.1:9093",
    ),
    Entry(
        "http.not_json",
        ExitStatus.UNAVAILABLE,
        "A server answered with something that is not JSON",
        "Something else answers in the service's place, such as a proxy, a log-in page or another "
        "service on the same port; or the answer was cut short.",
        "See what the URL shows.",
        "curl -i http://127.0.0.1:9093/api/v2/status",
    ),
    Entry(
        "http.timed_out",
        ExitStatus.UNAVAILABLE,
        "A server took too long",
        "The time for the whole request, with its retries and pauses, is over. Whether the server "
        "has acted on it is not known.",
        "See whether the server is well and reachable, or give it more time.",
        "x0tta drill --timeout 2m",
    ),
    Entry(
        "http.too_large",
        ExitStatus.UNAVAILABLE,
        "A server's answer is too large",
        "The answer has more bytes than any that is expected there; the rest was not read.",
        "See whether the URL is the service's own.",
        "curl -sI http://127.0.0.1:9093/",
    ),
    Entry(
        "http.unreachable",
        ExitStatus.UNAVAILABLE,
        "A server can't be reached",
        "The name is not known, the connection was refused or broken, or the certificate is not "
        "trusted; the reason says which.",
        "See whether the server runs and whether this machine may reach it. For a certificate of "
        "your own authority, name the authority in SSL_CERT_FILE.",
        "curl -v https://alerts.example.org",
    ),
    Entry(
        "journal.busy",
        ExitStatus.CONFLICT,
        "The journal is locked",
        "Another x0tta process has been writing to the journal for longer than this one waits.",
        "Wait for the other process to end.",
        "pgrep -a x0tta",
    ),
    Entry(
        "journal.corrupt",
        ExitStatus.CONFIGURATION,
        "The journal is damaged",
        "The file is not the database that x0tta wrote: it was cut short, overwritten, or is "
        "something else. What it knew about unfinished operations can't be read.",
        "Set the file aside with the command that the error prints; the next operation begins a "
        "new journal.",
        "mv /var/lib/x0tta/journal.sqlite3 /var/lib/x0tta/journal.sqlite3.damaged",
    ),
    Entry(
        "journal.interrupted",
        ExitStatus.CONFLICT,
        "An earlier operation on the same object was interrupted",
        "The process of an operation was killed, or the machine went down, before it had come to "
        "its end. What it has done and what not stands in the journal.",
        "Go on with it, or give it up: x0tta ops clean removes what it left behind.",
        "x0tta ops resume 0e9q4mx1c7ab",
    ),
    Entry(
        "journal.newer",
        ExitStatus.CONFIGURATION,
        "The journal belongs to a newer x0tta",
        "A newer version has brought the file to a schema that this one does not know. It was not "
        "touched.",
        "Use the newer version again, or another state folder.",
        "X0TTA_STATE_DIR=~/x0tta-old x0tta drill",
    ),
    Entry(
        "journal.over",
        ExitStatus.CONFLICT,
        "The operation is over",
        "It has an outcome: it failed or was cancelled, and its command has cleaned up after it. "
        "Only an operation that lost its process before that can be gone on with.",
        "Run the command again that had begun it.",
        "x0tta ops list --unfinished",
    ),
    Entry(
        "journal.running",
        ExitStatus.CONFLICT,
        "The operation is still running",
        "The process that runs it lives; two at once would do its steps twice.",
        "Wait for it, also with --lock-timeout. If it hangs, end it first.",
        "x0tta ops resume 0e9q4mx1c7ab --lock-timeout 1m",
    ),
    Entry(
        "journal.unknown_operation",
        ExitStatus.NOT_FOUND,
        "The journal has no such operation",
        "No operation has this name; it may be misspelt, or belong to another user, whose journal "
        "is another.",
        "List the operations. Those of root are seen by root.",
        "x0tta ops list",
    ),
    Entry(
        "listener.address_in_use",
        ExitStatus.CONFLICT,
        "Another program listens on the address",
        "Two programs can't take the connections of one port; often it is an earlier one of the "
        "same command that still runs.",
        "End the other program, or choose another port.",
        "ss -ltnp",
    ),
    Entry(
        "listener.bad_address",
        ExitStatus.USAGE,
        "It is not possible to listen on the address",
        "It is not of the form HOST:PORT, its name is not known, or it belongs to another machine.",
        "Write an address of this machine; one of IPv6 stands in brackets.",
        "127.0.0.1:9790",
    ),
    Entry(
        "listener.bad_certificate",
        ExitStatus.USAGE,
        "A certificate can't be used",
        "The certificate, its key or the authorities of clients are no PEM, the key belongs to "
        "another certificate, or it has a password, which nobody could be asked for.",
        "Compare the public keys of both files, and remove the key's password.",
        "openssl x509 -in server.crt -noout -text",
    ),
    Entry(
        "listener.not_permitted",
        ExitStatus.NOT_PERMITTED,
        "The user may not listen on the port",
        "Ports below 1024 belong to root, or to who has the capability CAP_NET_BIND_SERVICE.",
        "Choose a higher port.",
        "127.0.0.1:9790",
    ),
    Entry(
        "listener.unprotected",
        ExitStatus.USAGE,
        "A listener beyond loopback needs protection",
        "The address can be reached from other machines. What listens there can be told and asked "
        "things, so it needs a bearer token or certificates of its clients.",
        "Configure a token or the authorities of client certificates, or listen on loopback.",
        "127.0.0.1:9790",
    ),
    Entry(
        "locks.held",
        ExitStatus.CONFLICT,
        "Another x0tta is at work",
        "Another process holds the lock of what this command was to change. The kernel frees it "
        "when that process ends, however it ends.",
        "Wait for the other process, whose number the error names; --lock-timeout waits for you.",
        "x0tta ops clean --lock-timeout 1m",
    ),
    Entry(
        "secrets.exposed",
        ExitStatus.NOT_PERMITTED,
        "A secret is open to others",
        "The file of a secret may be read by its group or by everybody; x0tta does not use such a "
        "secret.",
        "Close the file; replace the secret if others may have read it.",
        "chmod 600 /etc/x0tta/token",
    ),
    Entry(
        "secrets.missing",
        ExitStatus.CONFIGURATION,
        "A secret is not where it should be",
        "The configuration refers to a variable, file or systemd credential that does not exist, "
        "is empty or is no text.",
        "Put the secret there, or correct the reference.",
        "install -m 600 /dev/stdin /etc/x0tta/token",
    ),
    Entry(
        "state.disk_full",
        ExitStatus.UNAVAILABLE,
        "There is no room for x0tta's state",
        "The disk, or the quota, of the state folder is full. What changes the world is written "
        "down first, so nothing was changed.",
        "Make room, or move the state to another disk.",
        "X0TTA_STATE_DIR=/mnt/x0tta x0tta drill",
    ),
    Entry(
        "state.not_absolute",
        ExitStatus.CONFIGURATION,
        "x0tta does not know where to keep its state",
        "X0TTA_STATE_DIR is a relative path, which would mean another folder in every place, or "
        "the user has no home folder.",
        "Set X0TTA_STATE_DIR to an absolute path.",
        "X0TTA_STATE_DIR=/srv/x0tta x0tta drill",
    ),
    Entry(
        "state.not_writable",
        ExitStatus.NOT_PERMITTED,
        "x0tta may not write its state",
        "The state folder belongs to another user, is on a read-only file system, or a file "
        "stands in its place.",
        "Run as the owner of the folder, or use a folder of your own.",
        "X0TTA_STATE_DIR=~/x0tta x0tta drill",
    ),
    Entry(
        "state.write_failed",
        ExitStatus.UNAVAILABLE,
        "x0tta's state could not be written",
        "The system could not write although it may and there is room: the disk or the network "
        "behind the state folder fails.",
        "See what the system says about the disk, and run the command again.",
        "dmesg | tail",
    ),
    Entry(
        "textfile.bad_name",
        ExitStatus.USAGE,
        "A heartbeat can't have this name",
        "The name becomes the name of a file and a label of Prometheus, so it has to be short and "
        "plain.",
        "Use letters, digits, dots, underscores and dashes.",
        "nightly-backup",
    ),
    Entry(
        "textfile.bad_suffix",
        ExitStatus.USAGE,
        "The metrics would never be collected",
        "The textfile collector of node_exporter reads files whose names end with .prom, and "
        "silently passes over all others.",
        "Give the file a name that ends with .prom.",
        "/var/lib/prometheus/node-exporter/x0tta.prom",
    ),
    Entry(
        "times.bad_duration",
        ExitStatus.USAGE,
        "Not a duration",
        "A duration is one or more numbers with their units w d h m s ms, the longer first; a "
        "number without a unit could be anything.",
        "Write the unit.",
        "x0tta drill --timeout 1m30s",
    ),
    Entry(
        "times.bad_instant",
        ExitStatus.USAGE,
        "Not an instant",
        "An instant is written as in RFC 3339, with its offset from UTC, or as a distance from "
        "now.",
        "Write the date, a T, the time, and Z or an offset; or -2h for two hours ago.",
        "2026-11-25T10:00:00Z",
    ),
)
