"""Where an owner's jettons lie, worked out without asking anybody.

The address of a jetton wallet is the hash of its StateInit: a code cell and a data cell. For USDT
the code is a library cell, and the data are the status (uint4), the balance (coins), the owner
and the master. Whatever claims to be our jetton wallet and has another address is not.
"""

from __future__ import annotations

from functools import lru_cache

# Hash of the library cell that USDT's wallets have as their code.
USDT_WALLET_CODE = bytes.fromhex("8f452d7a4dfd74066b682365177259ed05734435be76b5fd4bd5d8af2b7c3d68")
_LIBRARY = 2


@lru_cache(maxsize=1024)
def jetton_wallet(owner: str, master: str) -> str:
    """Derive the address at which USDT of an owner lies; all addresses are canonical."""
    from pytoniq_core import Address, begin_cell
    from pytoniq_core.boc.builder import Builder

    code = Builder(type_=_LIBRARY).store_uint(_LIBRARY, 8).store_bytes(USDT_WALLET_CODE).end_cell()
    data = (
        begin_cell()
        .store_uint(0, 4)
        .store_coins(0)
        .store_address(Address(owner))
        .store_address(Address(master))
        .end_cell()
    )
    # No split depth, no special, a code, data, and no libraries of its own.
    state = begin_cell().store_bits("00110").store_ref(code).store_ref(data).end_cell()
    return f"0:{state.hash.hex()}"
