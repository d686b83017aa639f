"""The life of an environment: what is not allowed is refused."""

import itertools

import pytest

from cumulet.sandbox.states import RefusedTransition, State, move

LIFE = [State.STARTING, State.INIT, State.IDLE, State.RUNNING, State.IDLE, State.RUNNING,
        State.RETIRED, State.ENDING, State.DEAD]  # fmt: skip


def test_a_whole_life_is_allowed():
    for current, target in itertools.pairwise(LIFE):
        assert move(current, target) is target


def test_nothing_leaves_death():
    for target in State:
        with pytest.raises(RefusedTransition, match="dead"):
            move(State.DEAD, target)


@pytest.mark.parametrize(
    ("current", "target"),
    [
        (State.RUNNING, State.RUNNING),
        (State.STARTING, State.RUNNING),
        (State.INIT, State.RUNNING),
        (State.RETIRED, State.IDLE),
        (State.ENDING, State.RUNNING),
    ],
)
def test_an_environment_serves_one_event_at_a_time_and_only_when_ready(current, target):
    with pytest.raises(RefusedTransition):
        move(current, target)


def test_every_living_state_may_die():
    for state in set(State) - {State.DEAD}:
        assert move(state, State.DEAD) is State.DEAD
