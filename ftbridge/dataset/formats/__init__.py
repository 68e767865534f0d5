"""Formats that carry examples: ours and vendor-free ones here, each vendor's in its folder.

All are found through the entry-point group ``ftbridge.formats``, ours and third parties' on the
same footing, so that the core knows no vendor by name.
"""

from ftbridge.dataset.formats.format import Converted, Format
from ftbridge.dataset.formats.losses import LOSSES
from ftbridge.dataset.formats.registry import load, names

__all__ = ["LOSSES", "Converted", "Format", "load", "names"]
