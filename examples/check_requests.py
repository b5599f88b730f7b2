"""Has many candidates checked from asyncio: deadlines, priorities, shared work, and answers as they come."""

import asyncio

import porism


def check(candidate: str) -> bool:
    """Stands for a checker: any callable will do. It runs on a thread of the queue."""
    if not candidate:
        raise ValueError("an empty proof")
    return "sorry" not in candidate


async def main() -> None:
    """Asks for one check, for a batch, and for one more when there is a place."""
    async with porism.AsyncQueue(check, threads=2, capacity=10_000) as queue:
        # One request. Equal keys share the work while it waits or runs.
        if await queue.submit("intro x; exact x", key="intro x; exact x", deadline_s=20, priority=5):
            print("accepted")

        # A batch, as it completes. One bad candidate fails alone.
        candidates = ["rfl", "sorry", "", "simp"]
        async for one in queue.map(candidates, deadline_s=20, tenant="step 7"):
            print(f"{one.item!r}: {one.error or one.value}")

        # Full is an answer: `submit` raises it, `put` waits for a place.
        ticket = await queue.put("omega")
        print("omega:", await ticket)

        print("answered:", queue.metrics().counts["answered"])


asyncio.run(main())
