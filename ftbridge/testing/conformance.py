"""What every provider must do: pytest classes to subclass, for ours and for anybody's plugin.

    class TestMine(Facts, LifeCycle, OverTheWire):
        @pytest.fixture
        def sandbox(self) -> Iterator[Rehearsal]:
            yield MyRehearsal()          # an emulator, and a way to move its jobs

``Facts`` needs no network. ``LifeCycle`` runs jobs. ``OverTheWire`` spoils an HTTP connection,
turns the pages of 250 jobs, and is for providers that have a connection. A gap is never a missing
test: what a provider cannot do stands in its ``absent`` table, and the tests read that. For a
provider that trains nothing at all there is :mod:`ftbridge.testing.refusal`.
"""

from __future__ import annotations

from ftbridge.testing.facts import Declares, Facts
from ftbridge.testing.life_cycle import LifeCycle
from ftbridge.testing.over_the_wire import OverTheWire
from ftbridge.testing.rehearsal import Rehearsal, Suite, Wired

__all__ = ["Declares", "Facts", "LifeCycle", "OverTheWire", "Rehearsal", "Suite", "Wired"]
