"""Work over processes comes back in order, whatever their number, and failures come back too."""

import pytest

from glassjet.errors import InputError
from glassjet.processes import over_processes


def square(x: int) -> int:
    if x < 0:
        raise InputError(f"{x} is negative")
    return x * x


@pytest.mark.parametrize("processes", [1, 2])
def test_results_are_in_the_order_of_the_tasks(processes: int) -> None:
    assert list(over_processes(square, ((x,) for x in range(7)), processes)) == [x * x for x in range(7)]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_failure_is_raised_here(processes: int) -> None:
    with pytest.raises(InputError, match="-1 is negative"):
        list(over_processes(square, [(1,), (-1,), (2,)], processes))
