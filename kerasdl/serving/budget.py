"""So much at a time: who finds too little left waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Budget:
    """An amount that coroutines of one event loop take and give back.

    Who waits is served by what he wants, the least first: much in one hand keeps nobody
    waiting who wants little.

    Args:
        total: what there is; nobody may take more.

    Attributes:
        left: what nobody has.
    """

    def __init__(self, total: int) -> None:
        self.total = self.left = total
        self._waiting: list[tuple[int, asyncio.Future]] = []

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    async def take(self, amount: int) -> None:
        """Take `amount`, when there is as much; `give` gives it back."""
        if amount <= self.left:
            self.left -= amount
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        self._waiting.sort(key=lambda each: each[0])  # stable: equals by their coming
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # his turn came while he gave up
                self.give(amount)
            elif (amount, turn) in self._waiting:
                self._waiting.remove((amount, turn))
            raise

    def give(self, amount: int) -> None:
        """Give back; whose turn it is now goes on."""
        self.left += amount
        while self._waiting and self._waiting[0][0] <= self.left:
            amount, turn = self._waiting.pop(0)
            if not turn.cancelled():
                self.left -= amount
                turn.set_result(None)

    @asynccontextmanager
    async def hold(self, amount: int) -> AsyncIterator[None]:
        """Have `amount` within a block."""
        await self.take(amount)
        try:
            yield
        finally:
            self.give(amount)
