"""Job states as a pure function of time, for emulators without background threads.

A `Timeline` says how long each state lasts; a `Stopwatch` says how much of a job's own time has
passed, pauses left out. Neither reads a clock: the caller says what time it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Phase:
    """A state that lasts for a known time."""

    state: str
    seconds: float


@dataclass(frozen=True)
class Moment:
    """Where a job is: its state, and how much of that state is over (0..1)."""

    state: str
    progress: float


@dataclass(frozen=True)
class Timeline:
    """The states of a job that nobody disturbs, in order, and the one that it ends in."""

    phases: tuple[Phase, ...]
    final: str

    def scaled(self, speed: float) -> Timeline:
        """The same course, ``speed`` times as fast."""
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        phases = tuple(Phase(phase.state, phase.seconds / speed) for phase in self.phases)
        return Timeline(phases, self.final)

    @property
    def seconds(self) -> float:
        """How long a job takes from its creation to its final state."""
        return math.fsum(phase.seconds for phase in self.phases)

    def starts(self, state: str) -> float:
        """The job time at which a state begins; the final state begins where the rest ends."""
        passed = 0.0
        for phase in self.phases:
            if phase.state == state:
                return passed
            passed += phase.seconds
        if state == self.final:
            return passed
        raise KeyError(state)

    def lasts(self, state: str) -> float:
        """How many seconds a state lasts."""
        return sum(phase.seconds for phase in self.phases if phase.state == state)

    def at(self, elapsed: float) -> Moment:
        """State and progress after ``elapsed`` seconds of the job's own time."""
        passed = 0.0
        for phase in self.phases:
            if elapsed < passed + phase.seconds:
                return Moment(phase.state, max(0.0, elapsed - passed) / phase.seconds)
            passed += phase.seconds
        return Moment(self.final, 1.0)


@dataclass
class Stopwatch:
    """The job's own time: the wall clock without the stretches in which the job stood still."""

    started: float
    stops: list[tuple[float, float]] = field(default_factory=list)

    def stop(self, now: float) -> None:
        """Stand still from now on, until `restart`; a stop that is under way is prolonged."""
        begun = self.stops.pop()[0] if self.stopped(now) else now
        self.stops.append((begun, math.inf))

    def restart(self, when: float) -> None:
        """Run on from ``when``, which may lie ahead (a job that waits for a machine again)."""
        begun, _ = self.stops[-1]
        self.stops[-1] = (begun, when)

    def stopped(self, now: float) -> bool:
        """Whether the job stands still at this time."""
        return any(begun <= now < ended for begun, ended in self.stops)

    def elapsed(self, now: float) -> float:
        """Seconds of the job's own time that have passed."""
        idle = sum(min(ended, now) - begun for begun, ended in self.stops if begun < now)
        return now - self.started - idle

    def moment(self, elapsed: float) -> float:
        """The wall time at which the job had run for ``elapsed`` seconds; inf if it never will."""
        at = self.started + elapsed
        for begun, ended in self.stops:
            if begun < at:
                at += ended - begun
        return at
