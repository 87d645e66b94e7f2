"""The ledger: orders, transfers, claims, and an append-only log of every change of state.

    tables      what is stored; migrations/ makes it
    database    SQLite in the state folder, or PostgreSQL; one writer at a time
    chain       the hash chain over everything that is appended
    enrolment   wallets and orders are added, cancelled, refunded
    recording   pages and receipts become transfers
    cursors     up to where each wallet is read
    settling    transfers find their orders, and orders their states
    reading     what is shown
    audit       all of it derived again, and compared

Wallets, orders, sources, transfers and what sources say of them are appended and covered by the
chain. What may change in them (that an order is cancelled, how final a transfer is) and who has
claimed what follows from the log, which is covered as well. Cursors, marks and who asks for which
order are no evidence: without them everything is read and matched again.
"""
