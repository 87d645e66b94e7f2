"""XDP programs on real interfaces, safely, and what the kernel counts with them."""
