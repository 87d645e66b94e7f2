"""The command line of x0tta in which one stage of the drill begins with a signal to itself.

Run as a script: `interrupted.py STAGE SIGNAL ARGUMENT...`. It differs from the installed `x0tta`
by nothing else, so that a signal can be tried in a stage however short it is.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager

from x0tta_cli.__main__ import main
from x0tta_cli.drill import clock

stage_to_interrupt, signal_name = sys.argv[1:3]
sys.argv = ["x0tta", *sys.argv[3:]]
stage_as_it_is = clock.StageClock.stage


@contextmanager
def interrupted_stage(self, name):
    with stage_as_it_is(self, name):
        if name == stage_to_interrupt:
            os.kill(os.getpid(), signal.Signals[signal_name])
        yield


clock.StageClock.stage = interrupted_stage
sys.exit(main())
