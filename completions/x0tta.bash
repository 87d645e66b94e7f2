# Completion of x0tta in bash.
# Generated from the command tree by scripts/completions: edits are lost.

_x0tta_table() {
    subcommands=() operands=() default=''
    switches=('-o=words:table wide json jsonl csv' '--output=words:table wide json jsonl csv' --fields=text -q --quiet -v --verbose --debug --profile=kind:profile --config=file --no-color --timeout=text --utc --read-only)
    case $1 in
        x0tta)
            subcommands=(drill status doctor bundle ops config flags explain help)
            switches+=(--version -h --help)
            ;;
        'x0tta drill')
            subcommands=(run list)
            default=run
            switches+=(-h --help)
            ;;
        'x0tta drill run')
            operands=(kind:incident)
            switches+=(--all --data=folder --seed=text --html=file -h --help)
            ;;
        'x0tta drill list')
            switches+=(--data=folder -h --help)
            ;;
        'x0tta status')
            switches+=(-h --help)
            ;;
        'x0tta doctor')
            operands=('*words:installation configuration state time internet servers kernel build containers')
            switches+=('--need=words:installation configuration state time internet servers kernel build containers' --wait=text --suppress=text '--fail-on=words:warning error' -h --help)
            ;;
        'x0tta bundle')
            operands=(file)
            switches+=(--since=text --preview -h --help)
            ;;
        'x0tta ops')
            subcommands=(list show resume clean)
            switches+=(-h --help)
            ;;
        'x0tta ops list')
            switches+=(--unfinished -h --help)
            ;;
        'x0tta ops show')
            operands=(text)
            switches+=(-h --help)
            ;;
        'x0tta ops resume')
            operands=(text)
            switches+=(--lock-timeout=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta ops clean')
            operands=('*text')
            switches+=(--lock-timeout=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta config')
            subcommands=(init get set path check schema show)
            switches+=(-h --help)
            ;;
        'x0tta config init')
            switches+=(--system --force --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta config get')
            operands=(text)
            switches+=(-h --help)
            ;;
        'x0tta config set')
            operands=(text text)
            switches+=(--system --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta config path')
            switches+=(-h --help)
            ;;
        'x0tta config check')
            switches+=(-h --help)
            ;;
        'x0tta config schema')
            switches+=(-h --help)
            ;;
        'x0tta config show')
            operands=(text)
            switches+=(--origin -h --help)
            ;;
        'x0tta flags')
            subcommands=(list get)
            switches+=(-h --help)
            ;;
        'x0tta flags list')
            switches+=(-h --help)
            ;;
        'x0tta flags get')
            operands=(text)
            switches+=(-h --help)
            ;;
        'x0tta explain')
            operands=(kind:code)
            switches+=(-h --help)
            ;;
        'x0tta help')
            operands=('words:drill status doctor bundle ops config flags explain help')
            switches+=(-h --help)
            ;;
    esac
}


# Takes a line apart as bash does, but for what only bash itself could expand: the words before the
# cursor, unquoted; `word`, the one at the cursor; `quote`, where one is open in it; and `start`,
# how much of it readline won't replace, since it lies before a colon, an equals sign or a quote.
_x0tta_read() {
    local line=$1 i character is_word='' break=0
    redirected=''
    for ((i = 0; i < ${#line}; i++)); do
        character=${line:i:1}
        if [[ $quote == "'" && $character != "'" ]]; then
            word+=$character
        elif [[ $quote && $character == "$quote" ]]; then
            quote='' start=$break
        elif [[ $character == '\' ]]; then
            ((i += 1))
            is_word=1 character=${line:i:1}
            [[ $quote && $character != [\\\"\$\`] ]] && word+='\'
            word+=$character
        elif [[ $quote ]]; then
            word+=$character
        elif [[ $character == [\'\"] ]]; then
            is_word=1 quote=$character start=${#word}
        elif [[ $character == [[:space:]\<\>] ]]; then
            [[ $character == [\<\>] && $word == [0-9\&] ]] && is_word=''
            [[ $is_word && ! $redirected ]] && words+=("$word")
            [[ $is_word ]] && redirected=''
            [[ $character == [\<\>] ]] && redirected=1
            is_word='' word='' start=0 break=0
        else
            is_word=1 word+=$character
            [[ $COMP_WORDBREAKS == *"$character"* ]] && break=${#word} start=${#word}
        fi
    done
}

# Finds what an option of the current command takes: `takes` is empty for a flag.
_x0tta_takes() {
    local switch
    for switch in "${switches[@]}"; do
        if [[ $switch == "$1" || $switch == "$1="* ]]; then
            takes=${switch:${#1}} takes=${takes#=}
            return
        fi
    done
    # The option may be one of the default command, which the line then is about.
    [[ $default ]] && _x0tta_enter "$default" && _x0tta_takes "$1"
}

_x0tta_enter() {
    entered+=" $1"
    _x0tta_table "$entered"
}

# Moves on over one word before the cursor.
_x0tta_pass() {
    local i letters subcommand
    if [[ $awaited ]]; then
        awaited=''
    elif [[ $ended || $1 != -?* ]]; then
        if [[ ! $ended ]]; then
            for subcommand in "${subcommands[@]}"; do
                [[ $subcommand == "$1" ]] && _x0tta_enter "$1" && return
            done
        fi
        [[ $default ]] && _x0tta_enter "$default"
        ((position += 1))
    elif [[ $1 == -- ]]; then
        [[ $default ]] && _x0tta_enter "$default"
        ended=1
    elif [[ $1 == --* ]]; then
        _x0tta_takes "${1%%=*}" && [[ $1 != *=* ]] && awaited=$takes
    else
        letters=${1#-}
        for ((i = 0; i < ${#letters}; i++)); do
            _x0tta_takes "-${letters:i:1}" || break
            if [[ $takes ]]; then
                [[ ${letters:i+1} ]] || awaited=$takes
                break
            fi
        done
    fi
}

# Offers those of some words that go on from what is typed, quoted as it is; `lead` stands before.
_x0tta_offer() {
    local lead=$1 offered common='' escaped replies=()
    shift
    for offered; do
        offered=$lead$offered
        [[ $offered == "$word"* ]] || continue
        if ((${#replies[@]} == 0)); then common=$offered; fi
        while [[ $offered != "$common"* ]]; do common=${common%?}; done
        _x0tta_escape "${offered:start}"
        replies+=("$escaped")
    done
    ((${#replies[@]})) || return
    COMPREPLY+=("${replies[@]}")
    # Readline inserts what all have in common, which must not be half of an escaped character.
    _x0tta_escape "${common:start}"
    for offered in "${replies[@]}"; do
        [[ $offered == "$escaped"* ]] || escaped=''
    done
    common=${replies[0]}
    for offered in "${replies[@]}"; do
        while [[ $offered != "$common"* ]]; do common=${common%?}; done
    done
    [[ $common == "$escaped" ]] || COMPREPLY+=("$escaped")
}

_x0tta_escape() {
    escaped=$1
    case $quote in
        "'") escaped=${escaped//\'/\'\\\'\'} ;;
        '"')
            escaped=${escaped//\\/\\\\}
            escaped=${escaped//\"/\\\"}
            escaped=${escaped//\$/\\\$}
            escaped=${escaped//\`/\\\`}
            escaped=${escaped//!/\"\\!\"}
            # Readline closes the quotes, but not behind one that it takes for the closing one.
            [[ $escaped == *\" ]] && escaped+=\"
            ;;
        *) [[ $1 ]] && printf -v escaped %q "$1" ;;
    esac
}

# Offers the values of which the table tells with its word.
_x0tta_values() {
    local lead=$2 found
    case ${1#\*} in
        file) compopt -o default ;;
        folder) compopt -o dirnames ;;
        words:*)
            read -ra found <<<"${1#*words:}"
            _x0tta_offer "$lead" "${found[@]}"
            ;;
        kind:*)
            mapfile -t found < <(
                command x0tta __complete "${1#*kind:}" "${word#"$lead"}" "${words[@]:1}" 2>/dev/null
            )
            _x0tta_offer "$lead" "${found[@]%%$'\t'*}"
            ;;
    esac
}

_x0tta() {
    local words=() word='' quote='' start=0 redirected
    _x0tta_read "${COMP_LINE:0:COMP_POINT}"
    local entered=x0tta position=0 awaited='' ended='' takes passed
    local subcommands switches operands default
    COMPREPLY=()
    if [[ $redirected ]]; then
        compopt -o default
        return
    fi
    _x0tta_table "$entered"
    for passed in "${words[@]:1}"; do
        _x0tta_pass "$passed"
    done
    _x0tta_next
}

_x0tta_next() {
    if [[ $awaited ]]; then
        _x0tta_values "$awaited" ''
    elif [[ ! $ended && $word == --*=* ]]; then
        _x0tta_takes "${word%%=*}" && [[ $takes ]] && _x0tta_values "$takes" "${word%%=*}="
    elif [[ ! $ended && $word == -* ]]; then
        if [[ $word == -[!-]?* ]] && _x0tta_takes "${word:0:2}" && [[ $takes ]]; then
            _x0tta_values "$takes" "${word:0:2}"
            return
        fi
        _x0tta_offer '' "${switches[@]%%=*}"
        [[ $default ]] && _x0tta_enter "$default" && _x0tta_offer '' "${switches[@]%%=*}"
    else
        [[ $ended ]] || _x0tta_offer '' "${subcommands[@]}"
        # Where a known word may be meant, nobody has to be asked.
        ((${#COMPREPLY[@]})) && return
        [[ $default ]] && _x0tta_enter "$default"
        ((${#operands[@]})) || return
        if ((position >= ${#operands[@]})) && [[ ${operands[-1]} == \** ]]; then
            position=$((${#operands[@]} - 1))
        fi
        _x0tta_values "${operands[position]-}" ''
    fi
}

complete -o nosort -F _x0tta x0tta
