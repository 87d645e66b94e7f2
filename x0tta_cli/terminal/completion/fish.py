"""The completion script for fish, from 3.4 on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from x0tta_cli.terminal.completion.tables import GENERATED, shell_path, told, told_in_order
from x0tta_cli.terminal.tree import Command, Parameter

TAB = r"\t"


def script(tree: Command, shared: Sequence[Parameter]) -> str:
    """Write the script."""
    return "\n".join(
        [f"# Completion of x0tta in fish.\n# {GENERATED}\n", *_table(tree, shared), STEPS]
    )


def quote(text: str) -> str:
    """Quote a word so that fish takes every character of it as it is."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _table(tree: Command, shared: Sequence[Parameter]) -> Iterator[str]:
    yield "function __x0tta_table --no-scope-shadowing"
    yield "    set subcommands"
    yield "    set operands"
    yield "    set default"
    yield "    set switches"
    yield from _switches(shared, 4)
    yield "    switch $entered"
    for command in tree.walk():
        yield f"        case {quote(shell_path(command))}"
        for below in command.commands:
            fields = (below.path[-1], below.summary)
            yield "            set -a subcommands " + TAB.join(map(quote, fields))
        if command.default:
            yield f"            set default {quote(command.default)}"
        if command.arguments:
            yield f"            set operands {' '.join(map(quote, told_in_order(command)))}"
        yield from _switches(command.options, 12)
    yield "    end"
    yield "end\n"


def _switches(options: Sequence[Parameter], indent: int) -> Iterator[str]:
    """Write name, what it takes and what it means, with tabs between them."""
    for option in options:
        for name in option.names:
            fields = (name, told(option), option.meaning)
            yield " " * indent + "set -a switches " + TAB.join(map(quote, fields))


STEPS = r"""
# Finds what an option of the current command takes: `takes` is empty for a flag.
function __x0tta_takes --no-scope-shadowing
    set -l wanted $argv[1]
    for switch in $switches
        set -l fields (string split \t -- $switch)
        if test "$fields[1]" = "$wanted"
            set takes $fields[2]
            return 0
        end
    end
    # The option may be one of the default command, which the line then is about.
    set -q default[1]; or return 1
    __x0tta_enter $default
    __x0tta_takes $wanted
end

function __x0tta_enter --no-scope-shadowing
    set entered "$entered $argv[1]"
    __x0tta_table
end

# Moves on over one word before the cursor.
function __x0tta_pass --no-scope-shadowing
    set -l passing $argv[1]
    if test -n "$awaited"
        set awaited
    else if test -n "$ended"; or not string match -qr -- '^-.' $passing
        if test -z "$ended"; and contains -- "$passing" (string split -f 1 \t -- $subcommands)
            __x0tta_enter $passing
            return
        end
        set -q default[1]; and __x0tta_enter $default
        set position (math $position + 1)
    else if test "$passing" = --
        set -q default[1]; and __x0tta_enter $default
        set ended 1
    else if string match -q -- '--*' $passing
        __x0tta_takes (string split -m 1 -f 1 = -- $passing)
        and not string match -q -- '*=*' $passing
        and set awaited $takes
    else
        set -l letters (string split '' -- $passing)[2..-1]
        for place in (seq (count $letters))
            __x0tta_takes -$letters[$place]; or break
            if test -n "$takes"
                test $place -eq (count $letters); and set awaited $takes
                break
            end
        end
    end
end

# Walks to the command that the words before the cursor lead to, and finds what may come next:
# `candidates`, or values of which the table tells as `told`, with `lead` before each.
function __x0tta_look --no-scope-shadowing
    set words (commandline -xpc 2>/dev/null; or commandline -opc)
    set token (commandline -ct)
    __x0tta_table
    for passing in $words[2..-1]
        __x0tta_pass $passing
    end
    if test -n "$awaited"
        set told $awaited
    else if test -z "$ended"; and string match -q -- '--*=*' $token
        set lead (string split -m 1 -f 1 = -- $token)
        __x0tta_takes $lead; and set told $takes
        set lead $lead=
    else if test -z "$ended"; and string match -q -- '-*' $token
        set lead (string sub -l 2 -- $token)
        if string match -qr -- '^-[^-].' $token; and __x0tta_takes $lead; and test -n "$takes"
            set told $takes
            return
        end
        set lead
        set candidates $switches
        set -q default[1]; and __x0tta_enter $default; and set -a candidates $switches
        set candidates (string replace -r '\t[^\t]*' '' -- $candidates)
    else
        test -z "$ended"; and set candidates $subcommands
        # Where a known word may be meant, nobody has to be asked.
        for name in (string split -f 1 \t -- $candidates)
            test (string sub -l (string length -- "$token") -- $name) = "$token"; and return
        end
        set -q default[1]; and __x0tta_enter $default
        set told $operands[(math 1 + $position)]
        test -z "$told"; and set told (string match -- '\**' $operands[-1])
        set told (string replace -r '^\*' '' -- $told)
        test -n "$told"; and set candidates
    end
end

# Writes all that may stand at the cursor; fish chooses what matches, and quotes it.
function __x0tta
    set -l entered x0tta
    set -l position 0
    set -l words
    set -l token
    set -l awaited
    set -l ended
    set -l takes
    set -l subcommands
    set -l operands
    set -l default
    set -l switches
    set -l candidates
    set -l told
    set -l lead ''
    __x0tta_look
    if test "$argv[1]" = is-file
        test "$told" = file
        return
    end
    switch "$told"
        case folder
            set -l typed (string sub -s (math 1 + (string length -- "$lead")) -- "$token")
            set candidates (__fish_complete_directories "$typed" '')
        case 'words:*'
            set candidates (string split ' ' -- (string replace 'words:' '' -- $told))
        case 'kind:*'
            set -l kind (string replace 'kind:' '' -- $told)
            set candidates (command x0tta __complete $kind '' $words[2..-1] 2>/dev/null)
    end
    set -q candidates[1]; and printf '%s\n' "$lead"$candidates
end

complete -c x0tta -f -k -a '(__x0tta)'
complete -c x0tta -n '__x0tta is-file' -F
"""
