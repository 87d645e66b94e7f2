"""Fakes of the four chain APIs, on real sockets, over simulated chains.

    tron, ton = TronLedger(), TonLedger()
    with trongrid.serve(tron) as fake, toncenter.serve(ton) as other:
        tx = tron.transfer(CUSTOMER, WALLET, 12_500_000)      # 12.5 USDT, now
        ton.pay_usdt(SENDER, OWNER, 12_500_000, comment="ORDER-1")
        x0tta("pay", "reconcile", config={"pay.sources.grid.base_url": fake.url, …})
        assert fake.refused == 0 and len(fake.requests) == 3

A ledger is the truth, and each fake shows it as its provider's documents say: with its paging, its
limits and its ways of failing. Transfers are made at `at` (an aware instant; a minute and a half
ago by default, so that it is final); on TRON blocks are solid `SOLID_AFTER` behind the clock.
`tron.index_until` and `ton.index_until` hold an index back, `reorganise(tx)` takes a transaction
out, `tron.transaction` makes any other. What a server does wrong is set on the fake while it runs:
`fake.trouble = Trouble(status=503)`; see `server.Trouble` for all of them, and each provider's
module for its own.

`limit_per_second` on `serve` counts as strictly as a provider could: any second, from any instant.
`python -m fakes.chains.process KIND …` serves many payments from a process of its own.
"""
