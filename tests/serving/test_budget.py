import asyncio

import pytest

from kerasdl.serving.budget import Budget


async def settled():
    """All other coroutines have run as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_who_wants_little_goes_first_and_nobody_has_more_than_there_is():
    async def story():
        budget, order = Budget(10), []

        async def user(name, amount):
            async with budget.hold(amount):
                order.append(name)

        async with budget.hold(8):
            assert not budget.is_waited_for
            names = {"nine": 9, "three": 3, "ten": 10, "other three": 3}
            waiting = [asyncio.ensure_future(user(*each)) for each in names.items()]
            await settled()
            assert (budget.left, order, budget.is_waited_for) == (2, [], True)
            await user("two", 2)  # as much is there
        await asyncio.gather(*waiting)
        assert order == ["two", "three", "other three", "nine", "ten"]
        assert budget.left == 10

    asyncio.run(story())


@pytest.mark.parametrize("order", ["goes, given", "goes; given", "given, goes"])
def test_who_gives_up_leaves_nothing_taken(order):
    """Before his turn or after it, and before he knows."""

    async def story():
        budget = Budget(10)
        await budget.take(10)
        waiting = [asyncio.ensure_future(budget.take(10)) for _ in range(2)]
        await settled()
        if order == "given, goes":
            budget.give(10)
        waiting[0].cancel()
        if order == "goes; given":
            await settled()
        if order.startswith("goes"):
            budget.give(10)
        await waiting[1]
        assert waiting[0].cancelled()
        assert (budget.left, budget.is_waited_for) == (0, False)

    asyncio.run(story())
