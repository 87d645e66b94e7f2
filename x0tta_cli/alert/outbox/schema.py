"""The outbox's tables in the journal's file."""

from __future__ import annotations

from x0tta_cli.core.journal.tables import Tables

# Instants are seconds since 1970. `rank` puts critical messages first. `key` '' in the memory is
# what a channel remembers of itself.
TABLES = Tables(
    "alert",
    (
        """
        CREATE TABLE alert_incidents (
            key TEXT PRIMARY KEY,
            notice TEXT NOT NULL,
            severity TEXT NOT NULL,
            state TEXT NOT NULL,
            opened_at REAL NOT NULL,
            changed_at REAL NOT NULL,
            received_at REAL NOT NULL,
            told_at REAL NOT NULL,
            count INTEGER NOT NULL,
            lasting_s REAL NOT NULL,
            ends_at REAL,
            acknowledged_until REAL,
            changes TEXT NOT NULL,
            flapping_since REAL,
            held INTEGER NOT NULL DEFAULT 0,
            avoids TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX alert_incidents_by_state ON alert_incidents (state, changed_at);
        CREATE TABLE alert_messages (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL,
            action TEXT NOT NULL,
            notice TEXT NOT NULL,
            note TEXT NOT NULL,
            count INTEGER NOT NULL,
            lasting_s REAL NOT NULL,
            created_at REAL NOT NULL
        );
        CREATE INDEX alert_messages_of_key ON alert_messages (key, number);
        CREATE TABLE alert_deliveries (
            message INTEGER NOT NULL REFERENCES alert_messages (number) ON DELETE CASCADE,
            channel TEXT NOT NULL,
            peer TEXT NOT NULL,
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            rank INTEGER NOT NULL,
            state TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            due_at REAL NOT NULL,
            expires_at REAL NOT NULL,
            changed_at REAL NOT NULL,
            detail TEXT NOT NULL,
            PRIMARY KEY (message, channel, peer)
        ) WITHOUT ROWID;
        CREATE INDEX alert_deliveries_queued ON alert_deliveries (channel, peer, rank, message)
            WHERE state = 'queued';
        CREATE INDEX alert_deliveries_in_order ON alert_deliveries (channel, peer, key, message)
            WHERE state = 'queued';
        CREATE INDEX alert_deliveries_expiring ON alert_deliveries (expires_at)
            WHERE state = 'queued';
        CREATE INDEX alert_deliveries_dead ON alert_deliveries (message) WHERE state = 'dead';
        CREATE TABLE alert_memory (
            channel TEXT NOT NULL,
            peer TEXT NOT NULL,
            key TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (channel, peer, key, name)
        ) WITHOUT ROWID;
        CREATE TABLE alert_lanes (
            channel TEXT NOT NULL,
            peer TEXT NOT NULL,
            failures INTEGER NOT NULL DEFAULT 0,
            failing_since REAL,
            retry_at REAL NOT NULL DEFAULT 0,
            disabled INTEGER NOT NULL DEFAULT 0,
            is_told INTEGER NOT NULL DEFAULT 0,
            renewed_at REAL NOT NULL DEFAULT 0,
            detail TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (channel, peer)
        ) WITHOUT ROWID;
        CREATE TABLE alert_buckets (
            scope TEXT PRIMARY KEY,
            tokens REAL NOT NULL,
            filled_at REAL NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE alert_storms (
            channel TEXT PRIMARY KEY,
            window_began_at REAL NOT NULL,
            fresh INTEGER NOT NULL,
            began_at REAL,
            notice_key TEXT NOT NULL DEFAULT ''
        ) WITHOUT ROWID;
        """,
        # A command that `alert run` runs, and what is told if its process dies without a word.
        """
        CREATE TABLE alert_runs (
            id INTEGER PRIMARY KEY,
            pid INTEGER NOT NULL,
            started_ticks INTEGER NOT NULL,
            boot_id TEXT NOT NULL,
            notice TEXT NOT NULL,
            lasting_s REAL
        );
        """,
        # A run is known by a lock, as the number of a process is another one in a container.
        # The indexes are for what each round looks for among thousands that are open.
        # `listed_as` is the key of the labels under which Alertmanagers know an alert, where it is
        # another than the alert's own.
        """
        ALTER TABLE alert_runs ADD COLUMN lock TEXT NOT NULL DEFAULT 'none';
        ALTER TABLE alert_runs DROP COLUMN pid;
        ALTER TABLE alert_runs DROP COLUMN started_ticks;
        ALTER TABLE alert_runs DROP COLUMN boot_id;
        ALTER TABLE alert_incidents ADD COLUMN listed_as TEXT NOT NULL DEFAULT '';
        CREATE INDEX alert_incidents_listed ON alert_incidents (listed_as) WHERE listed_as != '';
        CREATE INDEX alert_incidents_ending ON alert_incidents (ends_at) WHERE ends_at IS NOT NULL;
        CREATE INDEX alert_incidents_flapping ON alert_incidents (flapping_since)
            WHERE flapping_since IS NOT NULL;
        CREATE INDEX alert_messages_by_age ON alert_messages (created_at);
        """,
    ),
)
