"""Errors of the terminal and the command line, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "bundle.no_logs",
        ExitStatus.UNAVAILABLE,
        "The logs of services could not be read",
        "journalctl has ended with an error; this user may not be allowed to read the journal of "
        "the system. The bundle was made without them.",
        "Run as root, or as a member of the group systemd-journal.",
        "sudo x0tta bundle",
    ),
    Entry(
        "bundle.unknown_form",
        ExitStatus.USAGE,
        "A bundle is a compressed archive",
        "The name of the file to write ends with something else than .tar.gz or .tgz, which would "
        "mislead whoever opens it.",
        "Give it a name that ends with .tar.gz.",
        "x0tta bundle trouble.tar.gz",
    ),
    Entry(
        "explain.unknown_code",
        ExitStatus.NOT_FOUND,
        "No such error code",
        "The catalogue of this version does not have the code; it may be misspelt, or newer.",
        "List all codes, and choose one.",
        "x0tta explain",
    ),
    Entry(
        "internal",
        ExitStatus.INTERNAL,
        "A defect of x0tta",
        "An exception was raised that nobody foresaw. What the command had begun was cleaned up as "
        "far as it could be; a report was kept, without secrets, that only you can read.",
        "Pass the report on to the maintainers. With --debug the traceback shows at once.",
        "x0tta drill --debug",
    ),
    Entry(
        "ops.not_resumable",
        ExitStatus.UNSUPPORTED,
        "Nobody can resume an operation of this kind",
        "No part of this x0tta knows how to go on with it: its kind can't be, or it was made by "
        "a version that had other parts.",
        "See how far it had come, mend by hand what is half done, and give it up by its name.",
        "x0tta ops clean 0e9q4mx1c7ab",
    ),
    Entry(
        "output.disk_full",
        ExitStatus.UNAVAILABLE,
        "The disk behind standard output is full",
        "The result goes to a file, and the disk on which it lies has no space left. What was "
        "written of it is incomplete.",
        "Free some space, or send the output to another disk, and run the command again.",
        "x0tta drill -o json > /var/tmp/drill.json",
    ),
    Entry(
        "output.not_writable",
        ExitStatus.UNAVAILABLE,
        "Standard output can't be written",
        "Standard output is closed, or the file or device behind it refuses to be written.",
        "Connect standard output to something that can be written.",
        "x0tta drill list > incidents.txt",
    ),
    Entry(
        "run.declined",
        ExitStatus.INTERRUPTED,
        "The question was answered with no",
        "The command asked before it changed something, and the answer was not y or yes.",
        "Answer with y, or do not ask at all with --yes. See the plan first with --dry-run.",
        "x0tta drill --dry-run",
    ),
    Entry(
        "run.interrupted",
        ExitStatus.INTERRUPTED,
        "Interrupted by Ctrl-C",
        "SIGINT arrived while the command ran. It has cleaned up and changed nothing more.",
        "Run it again when it suits.",
        "x0tta drill",
    ),
    Entry(
        "run.read_only",
        ExitStatus.NOT_PERMITTED,
        "x0tta is read-only here",
        "The command changes something, and --read-only was given or X0TTA_READ_ONLY is set.",
        "See what the command would do with --dry-run, or allow it by taking the option or the "
        "variable away.",
        "env -u X0TTA_READ_ONLY x0tta drill",
    ),
    Entry(
        "run.terminated",
        ExitStatus.TERMINATED,
        "Ended by SIGTERM",
        "SIGTERM arrived, or SIGHUP when the terminal went away. The command has cleaned up.",
        "Find out who stopped it: a service manager, a time limit, a closed terminal.",
        "systemctl status x0tta",
    ),
    Entry(
        "run.timed_out",
        ExitStatus.UNAVAILABLE,
        "The time given by --timeout is over",
        "The command took longer than --timeout allows. It was ended and has cleaned up.",
        "Give it more time, or see with -v where the time goes.",
        "x0tta drill --timeout 5m -v",
    ),
    Entry(
        "usage.bad_value",
        ExitStatus.USAGE,
        "A value can't be used",
        "An option or argument was given a value of another kind than it takes.",
        "See the help of the command for what it takes.",
        "x0tta drill run --help",
    ),
    Entry(
        "usage.exclusive_options",
        ExitStatus.USAGE,
        "Two things were asked for that exclude each other",
        "The command line names options or arguments of which only one can hold.",
        "Leave one of them out; the help of the command says what each is for.",
        "x0tta drill run --all",
    ),
    Entry(
        "usage.missing_argument",
        ExitStatus.USAGE,
        "An argument or a value is missing",
        "The command needs an argument that was not given, or an option stands without its value.",
        "See the help of the command for what it needs.",
        "x0tta drill run --help",
    ),
    Entry(
        "usage.missing_command",
        ExitStatus.USAGE,
        "No command was given",
        "A group of commands was named, and none of its commands.",
        "See the help of the group for its commands.",
        "x0tta --help",
    ),
    Entry(
        "usage.no_terminal",
        ExitStatus.USAGE,
        "There is no terminal to ask on",
        "The command asks before it changes something, and runs without a terminal: in a pipe, "
        "from cron, in a CI step.",
        "Answer beforehand with --yes, or see the plan with --dry-run.",
        "x0tta drill --yes",
    ),
    Entry(
        "usage.option_needs",
        ExitStatus.USAGE,
        "An option works only together with another",
        "--exit-code turns a plan into an exit status, and a plan is made by --dry-run.",
        "Give both, or neither.",
        "x0tta drill --dry-run --exit-code",
    ),
    Entry(
        "usage.unexpected_argument",
        ExitStatus.USAGE,
        "More arguments than the command takes",
        "There is an argument too many; often a value with spaces that stands without quotes.",
        "Put values that have spaces into quotes, and see the help of the command.",
        "x0tta explain usage.bad_value",
    ),
    Entry(
        "usage.unknown_command",
        ExitStatus.USAGE,
        "No such command",
        "Neither x0tta nor the group has a command of this name.",
        "See the help for the commands there are.",
        "x0tta --help",
    ),
    Entry(
        "usage.unknown_field",
        ExitStatus.USAGE,
        "No such field",
        "--fields names a field that the result of the command does not have.",
        "Choose among the fields that the error lists.",
        "x0tta explain --fields code,title",
    ),
    Entry(
        "usage.unknown_option",
        ExitStatus.USAGE,
        "No such option",
        "The command has no option of this name. Shared options go anywhere on the line, a "
        "command's own ones behind its name.",
        "See the help of the command for its options.",
        "x0tta drill run --help",
    ),
)
