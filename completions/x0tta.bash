# Completion of x0tta in bash.
# Generated from the command tree by scripts/completions: edits are lost.

_x0tta_table() {
    subcommands=() operands=() default=''
    switches=('-o=words:table wide json jsonl csv' '--output=words:table wide json jsonl csv' --fields=text -q --quiet -v --verbose --debug --profile=kind:profile --config=file --no-color --timeout=text --utc --read-only)
    case $1 in
        x0tta)
            subcommands=(drill ebpf alert pay status doctor bundle ops config flags explain help)
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
        'x0tta ebpf')
            subcommands=(attach detach list clean export record probe programs test stats top drops block)
            switches+=(-h --help)
            ;;
        'x0tta ebpf attach')
            operands=('*kind:interface')
            switches+=('--program=words:count flows meter filter ratelimit drop' '--mode=words:auto hw native generic' '--at-least=words:hw native generic' --replace=text --for=text --netns=kind:netns --param=text --keep=text --strict --follow --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta ebpf detach')
            operands=('*kind:interface')
            switches+=(--id=text --program=text --netns=kind:netns --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta ebpf list')
            switches+=(--netns=kind:netns --all-netns -h --help)
            ;;
        'x0tta ebpf clean')
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta ebpf export')
            operands=('*kind:interface')
            switches+=(--netns=kind:netns --listen=text --textfile=file -h --help)
            ;;
        'x0tta ebpf record')
            operands=(file '*kind:interface')
            switches+=(--for=text --step=text --netns=kind:netns -h --help)
            ;;
        'x0tta ebpf probe')
            operands=('*kind:interface')
            switches+=(--netns=kind:netns -h --help)
            ;;
        'x0tta ebpf programs')
            switches+=(-h --help)
            ;;
        'x0tta ebpf test')
            operands=('words:count flows meter filter ratelimit drop')
            switches+=(--packets=file --param=text -h --help)
            ;;
        'x0tta ebpf stats')
            operands=(kind:interface)
            switches+=(--netns=kind:netns --watch --run-time -h --help)
            ;;
        'x0tta ebpf top')
            operands=(kind:interface)
            switches+=(--netns=kind:netns '--by=words:source flow protocol' --shown=text --once -h --help)
            ;;
        'x0tta ebpf drops')
            operands=(kind:interface)
            switches+=(--netns=kind:netns --recent -h --help)
            ;;
        'x0tta ebpf block')
            subcommands=(add remove list)
            switches+=(-h --help)
            ;;
        'x0tta ebpf block add')
            operands=('*text')
            switches+=(--interface=kind:interface --allow --netns=kind:netns --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta ebpf block remove')
            operands=('*text')
            switches+=(--interface=kind:interface --allow --netns=kind:netns --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta ebpf block list')
            switches+=(--interface=kind:interface --netns=kind:netns -h --help)
            ;;
        'x0tta alert')
            subcommands=(send resolve acknowledge list run heartbeat serve watch test outbox rules silence)
            switches+=(-h --help)
            ;;
        'x0tta alert send')
            operands=(text)
            switches+=(--severity=text --label=text --annotation=text --dedup-key=text --lasting=text --since=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert resolve')
            operands=(text)
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert acknowledge')
            operands=(text)
            switches+=(--for=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert list')
            switches+=(-h --help)
            ;;
        'x0tta alert run')
            operands=(text '*text')
            switches+=(--severity=text --label=text --at-most=text --lasting=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert heartbeat')
            operands=(text)
            switches+=(--every=text --textfile-dir=file --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert serve')
            switches+=(--listen=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert watch')
            switches+=(--every=text -h --help)
            ;;
        'x0tta alert test')
            switches+=(--channel=kind:channel --within=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert outbox')
            subcommands=(list run retry drop)
            switches+=(-h --help)
            ;;
        'x0tta alert outbox list')
            switches+=(--all --collapsed -h --help)
            ;;
        'x0tta alert outbox run')
            switches+=(--within=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert outbox retry')
            operands=('*text')
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert outbox drop')
            operands=('*text')
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert rules')
            subcommands=(check render diff)
            switches+=(-h --help)
            ;;
        'x0tta alert rules check')
            operands=(file)
            switches+=(-h --help)
            ;;
        'x0tta alert rules render')
            operands=(file)
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert rules diff')
            operands=(file)
            switches+=(--url=text -h --help)
            ;;
        'x0tta alert silence')
            subcommands=(add list expire)
            switches+=(-h --help)
            ;;
        'x0tta alert silence add')
            operands=('*text')
            switches+=(--for=text --comment=text --channel=kind:channel --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta alert silence list')
            switches+=(--all -h --help)
            ;;
        'x0tta alert silence expire')
            operands=(text)
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay')
            subcommands=(list unmatched show refund reconcile verify audit export report watch bot expect wallets)
            switches+=(-h --help)
            ;;
        'x0tta pay list')
            switches+=('--state=words:expected seen confirming paid underpaid overpaid late duplicate unmatched conflicting refunded cancelled' --wallet=kind:wallet -h --help)
            ;;
        'x0tta pay unmatched')
            switches+=(-h --help)
            ;;
        'x0tta pay show')
            operands=(kind:order)
            switches+=(-h --help)
            ;;
        'x0tta pay refund')
            operands=(kind:order)
            switches+=(--tx=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay reconcile')
            switches+=(--since=text --wallet=kind:wallet --push --lock-timeout=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay verify')
            operands=(kind:order)
            switches+=(--tx=text --wait --lock-timeout=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay audit')
            switches+=(--head=text -h --help)
            ;;
        'x0tta pay export')
            operands=(file)
            switches+=(--period=text -h --help)
            ;;
        'x0tta pay report')
            switches+=(--period=text --html=file -h --help)
            ;;
        'x0tta pay watch')
            switches+=(--every=text --push --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay bot')
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay expect')
            subcommands=(add import list cancel)
            switches+=(-h --help)
            ;;
        'x0tta pay expect add')
            operands=(text text text)
            switches+=(--wallet=kind:wallet --memo=text '--by=words:memo amount address' --valid-from=text --valid-until=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay expect import')
            operands=(file)
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay expect list')
            switches+=(--wallet=kind:wallet -h --help)
            ;;
        'x0tta pay expect cancel')
            operands=(kind:order)
            switches+=(--dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay wallets')
            subcommands=(add list check)
            switches+=(-h --help)
            ;;
        'x0tta pay wallets add')
            operands=(text text)
            switches+=(--name=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta pay wallets list')
            switches+=(-h --help)
            ;;
        'x0tta pay wallets check')
            switches+=(-h --help)
            ;;
        'x0tta status')
            switches+=(-h --help)
            ;;
        'x0tta doctor')
            operands=('*words:installation configuration state time internet servers kernel build containers ebpf alert pay flags')
            switches+=('--need=words:installation configuration state time internet servers kernel build containers ebpf alert pay flags' --wait=text --suppress=text '--fail-on=words:warning error' -h --help)
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
            switches+=(--unfinished --since=text -h --help)
            ;;
        'x0tta ops show')
            operands=(kind:operation)
            switches+=(-h --help)
            ;;
        'x0tta ops resume')
            operands=(kind:unfinished_operation)
            switches+=(--lock-timeout=text --dry-run --exit-code -y --yes -h --help)
            ;;
        'x0tta ops clean')
            operands=('*kind:unfinished_operation')
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
            operands=('words:drill.data drill.seed drill.false_alarm_rate drill.top_3_floor ebpf.bpf_filesystem ebpf.attachment ebpf.check_again ebpf.reconcile ebpf.export_token alert.channels alert.routes alert.lasting alert.collapse_within alert.expires_after alert.channel_down_after alert.storm.alerts alert.storm.within alert.flapping.changes alert.flapping.within alert.serve.listen alert.serve.token alert.serve.watchdog alert.serve.watchdog_within alert.quiet_hours alert.textfile_dir alert.rules.by alert.rules.expects alert.rules.heartbeat_every alert.rules.runbooks alert.rules.serve_url alert.rules.token_file alert.rules.metrics.requests alert.rules.metrics.failed_requests alert.rules.metrics.request_seconds alert.rules.metrics.cpu_idle alert.rules.metrics.memory_available alert.rules.metrics.memory_total alert.rules.metrics.mesh_node alert.rules.metrics.expected_packets alert.rules.metrics.received_packets alert.rules.metrics.ebpf_load_failures alert.rules.metrics.failed_units alert.rules.metrics.svid_renewal_failures alert.rules.metrics.svid_expires alert.rules.metrics.post_quantum_fallback alert.rules.metrics.handshake_failures alert.rules.metrics.authentication_failures alert.rules.metrics.recovery_failures alert.rules.metrics.heartbeat alert.rules.metrics.heartbeat_interval alert.rules.change pay.sources pay.quorum pay.tolerance pay.amount_hold pay.overlap pay.stale_after pay.database_url pay.heartbeat_url pay.textfile pay.bot.token pay.bot.api_url pay.bot.webhook_url pay.bot.webhook_secret pay.bot.listen doctor.internet_url doctor.prometheus_url doctor.kubernetes_url flags.ebpf flags.alert flags.pay flags.graphsage')
            switches+=(-h --help)
            ;;
        'x0tta config set')
            operands=('words:drill.data drill.seed drill.false_alarm_rate drill.top_3_floor ebpf.bpf_filesystem ebpf.attachment ebpf.check_again ebpf.reconcile ebpf.export_token alert.channels alert.routes alert.lasting alert.collapse_within alert.expires_after alert.channel_down_after alert.storm.alerts alert.storm.within alert.flapping.changes alert.flapping.within alert.serve.listen alert.serve.token alert.serve.watchdog alert.serve.watchdog_within alert.quiet_hours alert.textfile_dir alert.rules.by alert.rules.expects alert.rules.heartbeat_every alert.rules.runbooks alert.rules.serve_url alert.rules.token_file alert.rules.metrics.requests alert.rules.metrics.failed_requests alert.rules.metrics.request_seconds alert.rules.metrics.cpu_idle alert.rules.metrics.memory_available alert.rules.metrics.memory_total alert.rules.metrics.mesh_node alert.rules.metrics.expected_packets alert.rules.metrics.received_packets alert.rules.metrics.ebpf_load_failures alert.rules.metrics.failed_units alert.rules.metrics.svid_renewal_failures alert.rules.metrics.svid_expires alert.rules.metrics.post_quantum_fallback alert.rules.metrics.handshake_failures alert.rules.metrics.authentication_failures alert.rules.metrics.recovery_failures alert.rules.metrics.heartbeat alert.rules.metrics.heartbeat_interval alert.rules.change pay.sources pay.quorum pay.tolerance pay.amount_hold pay.overlap pay.stale_after pay.database_url pay.heartbeat_url pay.textfile pay.bot.token pay.bot.api_url pay.bot.webhook_url pay.bot.webhook_secret pay.bot.listen doctor.internet_url doctor.prometheus_url doctor.kubernetes_url flags.ebpf flags.alert flags.pay flags.graphsage' text)
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
            operands=('words:drill ebpf alert pay doctor flags')
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
            operands=('words:ebpf alert pay graphsage')
            switches+=(-h --help)
            ;;
        'x0tta explain')
            operands=('words:alert.bad_apprise_url alert.bad_duration alert.bad_key alert.bad_matcher alert.bad_name alert.bad_pair alert.bad_rule_file alert.bad_rules alert.bad_severity alert.bad_silence alert.bad_start alert.bad_webhook alert.channel_defect alert.channel_unreachable alert.foreign_file alert.no_channel alert.not_an_alertmanager alert.not_delivered alert.not_permitted alert.rules_unavailable alert.smtp_unavailable alert.unavailable alert.unknown_channel alert.unknown_key alert.unknown_peer alert.unknown_row alert.unknown_rule alert.unknown_silence alert.which_channel bundle.no_logs bundle.unknown_form config.bad_value config.exists config.missing_key config.no_such_key config.no_user_file config.not_toml config.plain_secret config.unknown_key config.unknown_profile config.unknown_section doctor.check_failed doctor.check_hung doctor.clock_off doctor.container_engine_silent doctor.extra_incomplete doctor.extra_missing doctor.interrupted_operation doctor.kernel_too_old doctor.little_space doctor.no_bpf_filesystem doctor.no_btf doctor.no_capability doctor.no_compiler doctor.no_container_engine doctor.no_headers doctor.no_internet doctor.no_zone_data doctor.server_not_configured doctor.server_unreachable doctor.state_open doctor.switched_off doctor.unknown_check doctor.unknown_finding doctor.unknown_zone doctor.wrong_version drill.no_incident drill.no_truth ebpf.bad_network ebpf.bad_parameter ebpf.compile_failed ebpf.contradicting_modes ebpf.dead_pin ebpf.detached_meanwhile ebpf.dispatcher ebpf.empty_capture ebpf.interface_changed ebpf.keeper_failed ebpf.kernel_refuses ebpf.link_type ebpf.map_full ebpf.mixed_link_types ebpf.mode_refused ebpf.no_bpf_filesystem ebpf.no_compiler ebpf.no_libbpf ebpf.no_link ebpf.no_packet_taken ebpf.no_such_host ebpf.no_such_interface ebpf.no_such_netns ebpf.no_such_program ebpf.no_xdp_program ebpf.not_a_capture ebpf.not_an_object ebpf.not_attached ebpf.not_ours ebpf.not_permitted ebpf.nothing_to_read ebpf.parameter_missing ebpf.pin_refused ebpf.program_in_use ebpf.recording_too_long ebpf.replaced_meanwhile ebpf.self_check_failed ebpf.something_in_the_way ebpf.still_attached ebpf.too_many_kept ebpf.unknown_parameter ebpf.verifier_rejected explain.unknown_code extras.missing files.disk_full files.is_a_folder files.no_such_folder files.not_found files.not_readable files.not_writable files.read_failed files.write_failed flags.switched_off flags.unknown http.bad_certificate http.bad_url http.not_json http.timed_out http.too_large http.unreachable internal journal.busy journal.corrupt journal.interrupted journal.newer journal.over journal.running journal.unknown_operation listener.address_in_use listener.bad_address listener.bad_certificate listener.not_permitted listener.unprotected locks.held ml.nothing_measured ml.too_few_samples ops.not_resumable output.disk_full output.not_writable pay.bad_address pay.bad_amount pay.bad_answer pay.bad_database_url pay.bad_form pay.bad_head pay.bad_memo pay.bad_order pay.bad_period pay.bad_row pay.bad_transaction_id pay.bot_not_configured pay.bot_refused pay.bot_unavailable pay.budget_spent pay.has_evidence pay.index_gap pay.index_stale pay.key_refused pay.key_taken pay.ledger_busy pay.ledger_corrupt pay.ledger_newer pay.ledger_unavailable pay.locked pay.no_free_amount pay.no_receipts pay.no_source pay.no_such_wallet pay.nothing_to_refund pay.order_exists pay.source_renamed pay.source_throttled pay.unknown_asset pay.unknown_order pay.unknown_wallet pay.wallet_name_taken pay.wallet_unread run.declined run.interrupted run.read_only run.terminated run.timed_out secrets.exposed secrets.missing state.disk_full state.not_absolute state.not_writable state.write_failed telemetry.ambiguous_incident telemetry.bad_graph telemetry.bad_header telemetry.bad_instant telemetry.bad_query telemetry.bad_range telemetry.bad_target telemetry.corrupt_archive telemetry.different_step telemetry.duplicate_column telemetry.duplicate_feature telemetry.duplicate_instant telemetry.duplicate_node telemetry.empty_file telemetry.empty_recording telemetry.irregular_step telemetry.native_histogram telemetry.negative_edge telemetry.no_common_feature telemetry.no_graph telemetry.no_healthy_recording telemetry.no_metrics telemetry.no_recording telemetry.no_series telemetry.no_such_feature telemetry.no_such_label telemetry.no_such_node telemetry.no_values telemetry.not_a_file telemetry.not_a_number telemetry.not_csv telemetry.not_finite telemetry.not_text telemetry.prometheus_denied telemetry.prometheus_failed telemetry.ragged_row telemetry.raw_counter telemetry.several_series telemetry.symptom_outside telemetry.too_few_samples telemetry.too_large telemetry.too_many_values telemetry.unknown_incident telemetry.unknown_node telemetry.unknown_recording telemetry.unknown_symptom telemetry.unreadable_answer telemetry.unsorted_instants telemetry.wrong_unit textfile.bad_name textfile.bad_suffix times.bad_duration times.bad_instant usage.bad_value usage.exclusive_options usage.missing_argument usage.missing_command usage.no_terminal usage.option_needs usage.unexpected_argument usage.unknown_command usage.unknown_field usage.unknown_option')
            switches+=(-h --help)
            ;;
        'x0tta help')
            operands=('words:drill ebpf alert pay status doctor bundle ops config flags explain help')
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
