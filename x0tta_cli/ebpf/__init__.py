"""XDP programs on real interfaces, safely, and what the kernel counts with them.

Small nouns that every attach and detach meets are named tuples: making a frozen dataclass takes
six times as long as making a tuple's class, and whole commands pay for it.
"""
