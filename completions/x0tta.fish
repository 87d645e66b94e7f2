# Completion of x0tta in fish.
# Generated from the command tree by scripts/completions: edits are lost.

function __x0tta_table --no-scope-shadowing
    set subcommands
    set operands
    set default
    set switches
    set -a switches '-o'\t'words:table wide json jsonl csv'\t'Form of the result: table, wide, json, jsonl or csv.'
    set -a switches '--output'\t'words:table wide json jsonl csv'\t'Form of the result: table, wide, json, jsonl or csv.'
    set -a switches '--fields'\t'text'\t'Only these fields, in this order.'
    set -a switches '-q'\t''\t'The result and errors alone: no progress, no notes.'
    set -a switches '--quiet'\t''\t'The result and errors alone: no progress, no notes.'
    set -a switches '-v'\t''\t'Log on stderr what is being done.'
    set -a switches '--verbose'\t''\t'Log on stderr what is being done.'
    set -a switches '--debug'\t''\t'Log everything, and show tracebacks.'
    set -a switches '--profile'\t'kind:profile'\t'Profile of the configuration.'
    set -a switches '--config'\t'file'\t'Configuration file.'
    set -a switches '--no-color'\t''\t'No colours, as with NO_COLOR=1.'
    set -a switches '--timeout'\t'text'\t'Give up after, say, 90s or 10m.'
    set -a switches '--utc'\t''\t'Show times in UTC, not in local time.'
    set -a switches '--read-only'\t''\t'Change nothing, as with X0TTA_READ_ONLY=1.'
    switch $entered
        case 'x0tta'
            set -a subcommands 'drill'\t'Take a recorded incident from telemetry to a paged explanation, and judge it.'
            set -a subcommands 'status'\t'See what is going on, over all groups.'
            set -a subcommands 'doctor'\t'See whether all that x0tta stands on is well, and how to mend what is not.'
            set -a subcommands 'bundle'\t'Collect what a maintainer needs into one file, without secrets.'
            set -a subcommands 'ops'\t'See what x0tta changed and what was interrupted, and go on with it or clean it up.'
            set -a subcommands 'config'\t'Write, show and check the configuration.'
            set -a subcommands 'flags'\t'See the flags that switch parts of x0tta on and off.'
            set -a subcommands 'explain'\t'Say what an error code means and how to mend it.'
            set -a subcommands 'help'\t'Show the manual of a group, or of x0tta as a whole.'
            set -a switches '--version'\t''\t'Show the version.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta drill'
            set -a subcommands 'run'\t'Take an incident from telemetry to a paged explanation, and judge it.'
            set -a subcommands 'list'\t'List the recorded incidents.'
            set default 'run'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta drill run'
            set operands 'kind:incident'
            set -a switches '--all'\t''\t'Run every incident and sum up the accuracy.'
            set -a switches '--data'\t'folder'\t'Folder of recordings; without it, the PetShop recordings.'
            set -a switches '--seed'\t'text'\t'Seed of training (default 0).'
            set -a switches '--html'\t'file'\t'Write a report as one page.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta drill list'
            set -a switches '--data'\t'folder'\t'Folder of recordings; without it, the PetShop recordings.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta status'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta doctor'
            set operands '*words:installation configuration state time internet servers kernel build containers'
            set -a switches '--need'\t'words:installation configuration state time internet servers kernel build containers'\t'End with 8 where this is missing.'
            set -a switches '--wait'\t'text'\t'Look again until all is well, say 60s. [default: 0s]'
            set -a switches '--suppress'\t'text'\t'Leave a finding out, also for the status.'
            set -a switches '--fail-on'\t'words:warning error'\t'End with 3 for findings from this severity on. [default: error]'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta bundle'
            set operands 'file'
            set -a switches '--since'\t'text'\t'From when on: 2h ago, or 2026-11-25T10:00:00Z. [default: 24h]'
            set -a switches '--preview'\t''\t'Show what would be collected, and write nothing.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta ops'
            set -a subcommands 'list'\t'List what x0tta changed in the world, the newest last.'
            set -a subcommands 'show'\t'Show one operation: its plan, how far it came, and what went wrong.'
            set -a subcommands 'resume'\t'Go on with an operation where it was interrupted.'
            set -a subcommands 'clean'\t'Remove what killed operations left behind, and give those operations up.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta ops list'
            set -a switches '--unfinished'\t''\t'Only what runs now or was interrupted.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta ops show'
            set operands 'text'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta ops resume'
            set operands 'text'
            set -a switches '--lock-timeout'\t'text'\t'Wait so long for another x0tta that is at work on the same, say 30s. [default: 0s]'
            set -a switches '--dry-run'\t''\t'Print the plan and change nothing.'
            set -a switches '--exit-code'\t''\t'With --dry-run, end with 3 when something would change.'
            set -a switches '-y'\t''\t'Go ahead without asking.'
            set -a switches '--yes'\t''\t'Go ahead without asking.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta ops clean'
            set operands '*text'
            set -a switches '--lock-timeout'\t'text'\t'Wait so long for another x0tta that is at work on the same, say 30s. [default: 0s]'
            set -a switches '--dry-run'\t''\t'Print the plan and change nothing.'
            set -a switches '--exit-code'\t''\t'With --dry-run, end with 3 when something would change.'
            set -a switches '-y'\t''\t'Go ahead without asking.'
            set -a switches '--yes'\t''\t'Go ahead without asking.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config'
            set -a subcommands 'init'\t'Write a first file: every key with its meaning and its default, commented out.'
            set -a subcommands 'get'\t'Print the value of a key that is in force.'
            set -a subcommands 'set'\t'Set a key in a configuration file; its comments and order stay.'
            set -a subcommands 'path'\t'List the files that are looked for, the strongest first.'
            set -a subcommands 'check'\t'Check all files and profiles, the environment, and the secrets.'
            set -a subcommands 'schema'\t'Print the JSON Schema of the configuration file.'
            set -a subcommands 'show'\t'Show every value that is in force.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config init'
            set -a switches '--system'\t''\t'The file of all users, /etc/x0tta/config.toml.'
            set -a switches '--force'\t''\t'Replace a file that exists.'
            set -a switches '--dry-run'\t''\t'Print the plan and change nothing.'
            set -a switches '--exit-code'\t''\t'With --dry-run, end with 3 when something would change.'
            set -a switches '-y'\t''\t'Go ahead without asking.'
            set -a switches '--yes'\t''\t'Go ahead without asking.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config get'
            set operands 'text'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config set'
            set operands 'text' 'text'
            set -a switches '--system'\t''\t'The file of all users, /etc/x0tta/config.toml.'
            set -a switches '--dry-run'\t''\t'Print the plan and change nothing.'
            set -a switches '--exit-code'\t''\t'With --dry-run, end with 3 when something would change.'
            set -a switches '-y'\t''\t'Go ahead without asking.'
            set -a switches '--yes'\t''\t'Go ahead without asking.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config path'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config check'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config schema'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta config show'
            set operands 'text'
            set -a switches '--origin'\t''\t'Where each value comes from, to the line.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta flags'
            set -a subcommands 'list'\t'List every flag with its value, where that comes from, and its default.'
            set -a subcommands 'get'\t'Print the value of one flag.'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta flags list'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta flags get'
            set operands 'text'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta explain'
            set operands 'kind:code'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
        case 'x0tta help'
            set operands 'words:drill status doctor bundle ops config flags explain help'
            set -a switches '-h'\t''\t'Show this help.'
            set -a switches '--help'\t''\t'Show this help.'
    end
end


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
    else if test -n "$ended"; or not string match -q -- '-?*' $passing
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
