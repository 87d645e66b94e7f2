"""The completion script for zsh: a function that zsh loads when it is first needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from x0tta_cli.terminal.completion.tables import GENERATED, shell_path, told, told_in_order
from x0tta_cli.terminal.tree import Command, Parameter


def script(tree: Command, shared: Sequence[Parameter]) -> str:
    """Write the script."""
    return "\n".join(
        [
            f"#compdef x0tta\n# Completion of x0tta in zsh.\n# {GENERATED}\n",
            *_table(tree, shared),
            STEPS,
        ]
    )


def quote(text: str) -> str:
    """Quote a word so that zsh takes every character of it as it is."""
    return "'" + text.replace("'", "'\\''") + "'"


def _table(tree: Command, shared: Sequence[Parameter]) -> Iterator[str]:
    yield "_x0tta_table() {"
    yield "    subcommands=() operands=() default=''"
    yield "    switches=("
    yield from _switches(shared, 8)
    yield "    )"
    yield "    case $1 in"
    for command in tree.walk():
        yield f"        ({quote(shell_path(command))})"
        if command.commands:
            yield "            subcommands=("
            for below in command.commands:
                yield f"                {quote(_pair(below.path[-1], below.summary))}"
            yield "            )"
        if command.default:
            yield f"            default={quote(command.default)}"
        if command.arguments:
            yield f"            operands=({' '.join(map(quote, told_in_order(command)))})"
        yield "            switches+=("
        yield from _switches(command.options, 16)
        yield "            )"
        yield "            ;;"
    yield "    esac"
    yield "}\n"


def _switches(options: Sequence[Parameter], indent: int) -> Iterator[str]:
    """Write what each option is, and what it takes, by its name: `_describe` wants pairs."""
    for option in options:
        for name in option.names:
            yield " " * indent + f"{quote(_pair(name, option.meaning))} {quote(told(option))}"


def _pair(name: str, meaning: str) -> str:
    return f"{name}:{meaning}"


STEPS = r"""
# Finds what an option of the current command takes: `takes` is empty for a flag.
_x0tta_takes() {
    local switch value
    for switch value in "${switches[@]}"; do
        if [[ ${switch%%:*} == "$1" ]]; then
            takes=$value
            return
        fi
    done
    # The option may be one of the default command, which the line then is about.
    [[ -n $default ]] && _x0tta_enter $default && _x0tta_takes "$1"
}

_x0tta_enter() {
    entered+=" $1"
    _x0tta_table "$entered"
}

# Moves on over one word before the cursor.
_x0tta_pass() {
    local letters
    integer i
    if [[ -n $awaited ]]; then
        awaited=''
    elif [[ -n $ended || $1 != -?* ]]; then
        if [[ -z $ended ]] && (( ${subcommands[(I)${(b)1}:*]} )); then
            _x0tta_enter "$1"
            return
        fi
        [[ -n $default ]] && _x0tta_enter $default
        (( position += 1 ))
    elif [[ $1 == -- ]]; then
        [[ -n $default ]] && _x0tta_enter $default
        ended=1
    elif [[ $1 == --* ]]; then
        _x0tta_takes "${1%%=*}" && [[ $1 != *=* ]] && awaited=$takes
    else
        letters=${1#-}
        for (( i = 1; i <= $#letters; i++ )); do
            _x0tta_takes "-$letters[i]" || break
            if [[ -n $takes ]]; then
                (( i == $#letters )) && awaited=$takes
                break
            fi
        done
    fi
}

# Offers the values of which the table tells with its word; zsh quotes them as they are needed.
_x0tta_values() {
    local -a found shown
    local line
    case ${1#\*} in
        (file) _files ;;
        (folder) _files -/ ;;
        (words:*)
            found=(${(s: :)1#*words:})
            compadd -a found
            ;;
        (kind:*)
            # All of them: which match what is typed is for zsh and its user's settings to say.
            found=(${(f)"$(command x0tta __complete "${1#*kind:}" '' "$passed[@]" 2>/dev/null)"})
            for line in "$found[@]"; do
                shown+=("${line/$'\t'/  -- }")
            done
            found=("${found[@]%%$'\t'*}")
            if [[ "$shown" == "$found" ]]; then
                compadd -V values -a found
            else
                compadd -V values -l -d shown -a found
            fi
            ;;
        (*) _message value ;;
    esac
}

_x0tta() {
    local entered=x0tta awaited='' ended='' default takes word
    local -a subcommands switches operands passed
    integer position=0
    passed=("${(@Q)words[2,CURRENT-1]}")
    _x0tta_table $entered
    for word in "$passed[@]"; do
        _x0tta_pass "$word"
    done
    _x0tta_next
}

_x0tta_next() {
    local -a flags
    local name value
    if [[ -n $awaited ]]; then
        _x0tta_values "$awaited"
    elif [[ -z $ended && $PREFIX == --*=* ]]; then
        name=${PREFIX%%=*}
        _x0tta_takes "$name" && [[ -n $takes ]] && compset -P "$name=" && _x0tta_values "$takes"
    elif [[ -z $ended && $PREFIX == -* ]]; then
        if [[ $PREFIX == -[^-]?* ]] && _x0tta_takes "${PREFIX[1,2]}" && [[ -n $takes ]]; then
            compset -P "${PREFIX[1,2]}" && _x0tta_values "$takes"
            return
        fi
        for name value in "${switches[@]}"; do flags+=("$name"); done
        if [[ -n $default ]]; then
            _x0tta_enter $default
            for name value in "${switches[@]}"; do flags+=("$name"); done
        fi
        flags=("${(@u)flags}")
        _describe -o option flags
    else
        # Where a known word may be meant, nobody has to be asked.
        if [[ -z $ended ]] && (( $#subcommands )); then
            _describe command subcommands && return
        fi
        [[ -n $default ]] && _x0tta_enter $default
        if (( position >= $#operands )) && [[ ${operands[-1]} == \** ]]; then
            position=$(( $#operands - 1 ))
        fi
        (( position < $#operands )) && _x0tta_values "$operands[position+1]"
    fi
}

if [[ $funcstack[1] == _x0tta ]]; then
    _x0tta "$@"
else
    compdef _x0tta x0tta
fi
"""
