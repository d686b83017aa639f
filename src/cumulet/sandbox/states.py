"""Life of an environment: a table of allowed transitions, everything else refused. No I/O."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where an environment is in its life."""

    # Members are single, so their identity will do; an enumeration's own hash is that of its name.
    __hash__ = object.__hash__

    STARTING = "starting"
    """Forked; not yet anyone's."""
    INIT = "init"
    """Given a function; its initialisation code runs."""
    IDLE = "idle"
    """Waiting for an event, frozen."""
    RUNNING = "running"
    """Serving one event."""
    RETIRED = "retired"
    """Serving its last event; ends after it."""
    ENDING = "ending"
    """Told to end: extensions hear of it, then everything is killed."""
    DEAD = "dead"
    """No process of it is left. Final."""


_ALLOWED: dict[State, frozenset[State]] = {
    State.STARTING: frozenset({State.INIT, State.ENDING, State.DEAD}),
    State.INIT: frozenset({State.IDLE, State.ENDING, State.DEAD}),
    State.IDLE: frozenset({State.RUNNING, State.ENDING, State.DEAD}),
    State.RUNNING: frozenset({State.IDLE, State.RETIRED, State.ENDING, State.DEAD}),
    State.RETIRED: frozenset({State.ENDING, State.DEAD}),
    State.ENDING: frozenset({State.DEAD}),
    State.DEAD: frozenset(),
}


class RefusedTransition(Exception):
    """A move that the table does not allow: a mistake of ours, or a broken protocol."""


def move(current: State, target: State) -> State:
    """`target`, if an environment may go there from `current`; else RefusedTransition."""
    if target not in _ALLOWED[current]:
        raise RefusedTransition(f"{current.value} → {target.value}")
    return target
