"""The processes that train one model together, as torchrun starts them; one alone is a world too.

Each holds the whole model and takes its share of every window. Gradients are summed, not
averaged, since every loss is divided by the units of the whole window already: however many
processes there are, a step computes the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

# One may wait for the device for days while the others wait for it.
PATIENCE = timedelta(days=7)
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """This process's place: `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process speaks for all: it alone writes files."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """What of a window this process works on."""
        return items[self.rank :: self.size]

    def agree(self, value: T) -> T:
        """The first process's value, in every process. All must call this at the same points."""
        if self.size == 1:
            return value
        from torch import distributed

        held = [value]
        distributed.broadcast_object_list(held, src=0)
        return held[0]

    def sum_numbers(self, numbers: Sequence[float]) -> list[float]:
        """Each number summed over the processes."""
        if self.size == 1:
            return list(numbers)
        import torch
        from torch import distributed

        total = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(total)
        return [float(value) for value in total.tolist()]

    def sum_gradients(self, parameters: Sequence[Any]) -> None:
        """Sum the gradients in place, in one message; none counts as zero."""
        if self.size == 1:
            return
        import torch
        from torch import distributed

        gradients = [p.new_zeros(p.shape) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.reshape(-1).float() for gradient in gradients])
        distributed.all_reduce(flat)
        at = 0
        for parameter in parameters:
            piece = flat[at : at + parameter.numel()].view_as(parameter)
            parameter.grad = piece.to(parameter.dtype)
            at += parameter.numel()

    def seed(self, seed: int, step: int) -> None:
        """Let every process draw its own numbers, by place and step alone, so that a resumed run
        draws the same ones. A process alone keeps its generator."""
        if self.size > 1:
            import torch

            torch.manual_seed((seed * 1_000_003 + step) * self.size + self.rank)


def here() -> World:
    """The place that torchrun's environment gives this process."""
    return World(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


@contextmanager
def joined(world: World, device: str) -> Iterator[None]:
    """Be in touch with the other processes while the block runs; nothing where there are none.

    Args:
        device: "cpu", or anything else where there is CUDA: NCCL, one GPU a process.
    """
    if world.size == 1:
        yield
        return
    import torch
    from torch import distributed

    if distributed.is_initialized():  # Ray Train has brought them together
        yield
        return
    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    # Both, so that texts can be agreed on while tensors go from GPU to GPU.
    backend = "cpu:gloo,cuda:nccl" if on_gpu else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()
