"""Errors of `x0tta pay`, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "pay.bad_address",
        ExitStatus.USAGE,
        "What was given is no address of the chain",
        "An address has a checksum so that a lost or changed character is noticed: on TRON "
        "base58check (or hex that begins with 41), on TON raw (0: and 64 hex digits) or 48 "
        "characters of base64. One that is marked for test networks is none of the main "
        "network.",
        "Copy it again from the wallet, whole.",
        "x0tta pay wallets add usdt-trc20 TQq4YrKRywkd9vLYw2nZKiFfMpbQiL8gKK",
    ),
    Entry(
        "pay.bad_amount",
        ExitStatus.USAGE,
        "What was given is no amount",
        "Amounts are decimal text in whole units: digits and at most one point, no more "
        "decimals than the asset has. Signs, exponents (1e6), prefixes (0x), separators and "
        "numbers without quotes are refused, since each of them is read differently somewhere.",
        "Write it as 12.5, in quotes where the file is JSON.",
        "x0tta pay expect add A-1 12.5 usdt-trc20",
    ),
    Entry(
        "pay.bad_answer",
        ExitStatus.UNAVAILABLE,
        "A source answered with something that can't be relied upon",
        "The answer is truncated, has another shape than the provider documents, goes back in "
        "time, lists fewer rows than it counts, or repeats a page. Nothing was concluded from "
        "it: unknown is not unpaid.",
        "Try again later; see whether pay.sources.NAME.base_url is the provider's own; "
        "configure a second source for the chain.",
        "x0tta doctor",
    ),
    Entry(
        "pay.bad_database_url",
        ExitStatus.CONFIGURATION,
        "The URL of the ledger's database can't be used",
        "pay.database_url names something other than a PostgreSQL database, or can't be read "
        "as a URL.",
        "Correct it, or leave it out: then the ledger is a file in the state folder.",
        'database_url = { file = "/etc/x0tta/pay-database" }  # postgresql://pay:…@db/pay',
    ),
    Entry(
        "pay.bad_form",
        ExitStatus.USAGE,
        "A file is of no form that is read or written here",
        "The form follows the file's suffix: orders are read from .csv and .jsonl, and "
        "written to .csv, .jsonl and .beancount.",
        "Give the file the suffix of what it is.",
        "x0tta pay export orders.csv",
    ),
    Entry(
        "pay.bad_head",
        ExitStatus.USAGE,
        "What was given is no head of the log",
        "The head is the last link of the ledger's hash chain: 64 hex digits. It is told by each "
        "heartbeat and shown by each reconcile.",
        "Copy it from where it was kept.",
        "x0tta pay audit --head c3e7bdc88a12fc8f98710a641524fa633b7b218eeb1c797eabaa5803f584211c",
    ),
    Entry(
        "pay.bad_memo",
        ExitStatus.USAGE,
        "A memo is no text",
        "It has half of a surrogate pair or bytes that are not UTF-8, which no wallet could send "
        "back as they are.",
        "Write it in UTF-8.",
        "x0tta pay expect add A-1001 12.5 ton --memo 'invoice 1001'",
    ),
    Entry(
        "pay.bad_order",
        ExitStatus.USAGE,
        "An order can't be taken as it is",
        "A name is up to 64 letters, digits, points, dashes and underscores, and no hash; a "
        "memo has no control characters, and none at all on TRON; a window ends after it "
        "begins.",
        "Correct the column that is named; nothing was added.",
        "x0tta pay expect add A-1001 12.5 ton --memo 'invoice 1001'",
    ),
    Entry(
        "pay.bad_period",
        ExitStatus.USAGE,
        "What was given is no month",
        "A period is a year and a month.",
        "Write it as 2026-11.",
        "x0tta pay export november.csv --period 2026-11",
    ),
    Entry(
        "pay.bad_row",
        ExitStatus.USAGE,
        "A file of orders has a row that can't be taken",
        "All rows are added or none, so one bad row stops the import. The row and the column "
        "are named.",
        "Correct the row and import the whole file again.",
        "x0tta pay expect import orders.csv --dry-run",
    ),
    Entry(
        "pay.bad_transaction_id",
        ExitStatus.USAGE,
        "What was given is no transaction's id",
        "A transaction's id is 64 hex digits (on TON also 44 characters of base64). An order's "
        "id in its place is the usual mistake; in the place of a refund's, the payment's own is.",
        "Copy the hash from the wallet or the explorer.",
        "x0tta pay verify A-1 --tx "
        "0b9c085adefee7a40b98c905eedf1ea6a7310ea7f23a17c55c1ee5cc5c21b977",
    ),
    Entry(
        "pay.bot_not_configured",
        ExitStatus.CONFIGURATION,
        "The bot is not configured",
        "It needs a token; a webhook needs both its URL and the secret that Telegram sends "
        "with each update.",
        "Set what is missing.",
        'token = { file = "/etc/x0tta/bot-token" }  # below [pay.bot]',
    ),
    Entry(
        "pay.bot_refused",
        ExitStatus.NOT_PERMITTED,
        "Telegram does not know the bot's token",
        "It was revoked, or belongs to another server's bot.",
        "Ask @BotFather for it.",
        'token = { file = "/etc/x0tta/bot-token" }  # below [pay.bot]',
    ),
    Entry(
        "pay.bot_unavailable",
        ExitStatus.UNAVAILABLE,
        "The bot can't reach Telegram",
        "The Bot API does not answer, or a proxy is in between.",
        "See whether this machine may reach pay.bot.api_url.",
        "x0tta pay bot",
    ),
    Entry(
        "pay.budget_spent",
        ExitStatus.UNAVAILABLE,
        "A source's requests for today are used up",
        "pay.sources.NAME.requests_per_day, or the provider's own figure for a key, is reached; "
        "days are those of UTC. What was read is kept.",
        "Wait for the next day, or raise the figure where the key's tier allows it.",
        "x0tta config set pay.sources.trongrid.requests_per_day 500000",
    ),
    Entry(
        "pay.has_evidence",
        ExitStatus.CONFLICT,
        "An order that money has come for can't be cancelled",
        "A cancelled order takes nothing, and the money would belong to nobody. Only where sources "
        "contradict each other may it be closed: then nothing of it counts, and its transfers are "
        "listed by x0tta pay unmatched.",
        "Send it back and record that, or leave the order as it is.",
        "x0tta pay refund A-1001 --tx HASH",
    ),
    Entry(
        "pay.index_gap",
        ExitStatus.NOT_YET_KNOWN,
        "A source has not indexed all transactions of an account",
        "On TON each transaction names the one before it. The source lists one, and not the one "
        "that it names, so something is missing in between that may be a payment.",
        "Wait for the index, or ask another source.",
        "x0tta pay reconcile",
    ),
    Entry(
        "pay.index_stale",
        ExitStatus.NOT_YET_KNOWN,
        "A source's index lags behind",
        "The newest block that the source knows is older than pay.sources.NAME.stale_after_s. "
        "What it does not list may have been paid. A clock of this machine that is ahead looks "
        "the same.",
        "Wait for it, ask another source, and see that the clock is right.",
        "timedatectl",
    ),
    Entry(
        "pay.key_refused",
        ExitStatus.NOT_PERMITTED,
        "A source refuses the key",
        "The provider answers 401 or 403 without speaking of too many requests: the key is "
        "wrong, has expired, or is meant for another network.",
        "Set the key that the provider has issued.",
        "x0tta config set pay.sources.trongrid.key '{ env = \"TRONGRID_KEY\" }'",
    ),
    Entry(
        "pay.key_taken",
        ExitStatus.CONFLICT,
        "Two orders could not be told apart",
        "A payment finds its order by its memo, its exact amount, or a wallet of its own. Two "
        "orders that wait in one wallet at one time for the same would share it.",
        "Give one another memo, amount, wallet or window.",
        "x0tta pay expect add A-1002 12.5 ton --memo 'invoice 1002'",
    ),
    Entry(
        "pay.ledger_busy",
        ExitStatus.CONFLICT,
        "Another process writes to the ledger",
        "One process writes at a time, and it has not let go for ten seconds.",
        "Run the command again when it has ended.",
        "x0tta pay list",
    ),
    Entry(
        "pay.ledger_corrupt",
        ExitStatus.CONFIGURATION,
        "The ledger can't be read",
        "The file is no ledger, or was damaged by a disk or by another program.",
        "Restore it from a backup, then audit it against the last head that was kept elsewhere.",
        "x0tta pay audit --head HASH",
    ),
    Entry(
        "pay.ledger_newer",
        ExitStatus.CONFIGURATION,
        "The ledger was written by a newer version",
        "It holds steps of migration that this version does not know, and was not touched.",
        "Install the newer version on this machine as well.",
        "x0tta --version",
    ),
    Entry(
        "pay.ledger_unavailable",
        ExitStatus.UNAVAILABLE,
        "The ledger's database can't be used now",
        "The server is down or refuses, or the disk fails. Nothing was counted.",
        "See whether the server runs and the URL is right, then run the command again.",
        "x0tta pay list",
    ),
    Entry(
        "pay.locked",
        ExitStatus.CONFLICT,
        "Another x0tta reconciles this ledger",
        "One run reads and settles at a time, over all machines; it holds an advisory lock of "
        "PostgreSQL that goes with its connection.",
        "Wait for it to end, or give it time.",
        "x0tta pay reconcile --lock-timeout 5m",
    ),
    Entry(
        "pay.no_free_amount",
        ExitStatus.CONFLICT,
        "No amount is left that tells an order from the others",
        "Orders without a memo get amounts that differ in the last four digits, each of its "
        "own in its wallet. All of them are taken by orders that still wait.",
        "Cancel orders that nobody will pay, give new ones an end, or add another wallet.",
        "x0tta pay expect add A-1001 12.5 usdt-trc20 --valid-until +1d",
    ),
    Entry(
        "pay.no_receipts",
        ExitStatus.NOT_YET_KNOWN,
        "No source is configured whose receipts settle a payment",
        "TronScan lists transfers and can agree with a receipt, but its answers have no log "
        "index, which tells two transfers of one transaction apart. So what it lists is seen, and "
        "stays so until a source with receipts is asked.",
        "Configure trongrid beside it.",
        "x0tta config set pay.sources.trongrid.kind trongrid",
    ),
    Entry(
        "pay.no_source",
        ExitStatus.CONFIGURATION,
        "No source is configured",
        "Without the API of a chain nobody can tell what arrived, and x0tta then says nothing "
        "about money.",
        "Configure one source for each chain, better two.",
        "x0tta config set pay.sources.trongrid.kind trongrid",
    ),
    Entry(
        "pay.no_such_wallet",
        ExitStatus.NOT_FOUND,
        "None of our wallets is called so",
        "A wallet is named as it was added, or by its address in canonical form.",
        "List them.",
        "x0tta pay wallets list",
    ),
    Entry(
        "pay.nothing_to_refund",
        ExitStatus.CONFLICT,
        "Nothing has been received that could be refunded",
        "No final transfer counts for this order.",
        "See its evidence.",
        "x0tta pay show A-1001",
    ),
    Entry(
        "pay.order_exists",
        ExitStatus.CONFLICT,
        "There is an order of this name already",
        "A name stands for one order for ever, so that its payment can't be counted for "
        "another. Nothing was added.",
        "Leave it out, or give the new order another name.",
        "x0tta pay show A-1001",
    ),
    Entry(
        "pay.source_renamed",
        ExitStatus.CONFIGURATION,
        "A source's name stood for another kind before",
        "Two sources count as two opinions only where they are of different kinds, and the "
        "ledger remembers who has agreed to what by name.",
        "Give the source a name that was not used before.",
        "x0tta config set pay.sources.trongrid2.kind trongrid",
    ),
    Entry(
        "pay.source_throttled",
        ExitStatus.UNAVAILABLE,
        "A source was asked too often",
        "The provider answered 429 or 503, or 403 with words about frequency, and is left alone "
        "for at least 30 seconds, since asking on would prolong the block. Other sources go on; "
        "the next run goes on where this one ended. Somebody else may use the same key.",
        "Lower pay.sources.NAME.requests_per_second, or use a key of its own.",
        "x0tta config set pay.sources.toncenter.requests_per_second 5",
    ),
    Entry(
        "pay.unknown_asset",
        ExitStatus.USAGE,
        "There is no such asset",
        "x0tta takes the assets of a pinned table, each with its contract and decimals; what a "
        "token calls itself counts for nothing.",
        "Choose one that there is: usdt-trc20, ton or usdt-ton.",
        "x0tta pay expect add A-1 12.5 usdt-ton",
    ),
    Entry(
        "pay.unknown_order",
        ExitStatus.NOT_FOUND,
        "There is no such order",
        "No order of this name was ever added to this ledger.",
        "See which there are, and whether the configuration names the right ledger.",
        "x0tta pay list",
    ),
    Entry(
        "pay.unknown_wallet",
        ExitStatus.USAGE,
        "What was given is none of our wallets",
        "Orders are paid to wallets that were added before: a mistyped address would send "
        "money to somebody else.",
        "Add the wallet, or name one of those that there are.",
        "x0tta pay wallets add usdt-trc20 TQq4YrKRywkd9vLYw2nZKiFfMpbQiL8gKK --name shop",
    ),
    Entry(
        "pay.wallet_name_taken",
        ExitStatus.CONFLICT,
        "Another wallet is called so",
        "Names tell wallets apart in orders and on the screen.",
        "Choose another name.",
        "x0tta pay wallets add ton ADDRESS --name second",
    ),
    Entry(
        "pay.wallet_unread",
        ExitStatus.NO,
        "No source has read a wallet in time",
        "Nothing is known of what has come in since: cron or the timer does not run, or every "
        "source of the chain fails.",
        "Run it, and see why it did not run.",
        "systemctl list-timers 'x0tta-pay*'",
    ),
)
