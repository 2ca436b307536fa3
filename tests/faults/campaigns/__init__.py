"""The campaigns, one module each, in the order in which `make faults` runs them: the cheap ones first."""

from __future__ import annotations

from campaigns.chaos import CHAOS
from campaigns.clock import CLOCK
from campaigns.every_byte import EVERY_BYTE
from campaigns.kill9 import KILL9
from campaigns.random_cuts import RANDOM_CUTS
from campaigns.reconnects import RECONNECTS
from campaigns.repeated_sends import REPEATED_SENDS
from campaigns.soak import SOAK
from campaigns.stalled import STALLED
from campaigns.starts import STARTS

CAMPAIGNS = (EVERY_BYTE, RANDOM_CUTS, REPEATED_SENDS, STARTS, STALLED, RECONNECTS, CLOCK, KILL9, CHAOS, SOAK)
