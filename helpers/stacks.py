"""Networks of blocks that differ in one thing only: by what a step learns of the steps before it.

B sequences, T time steps, D numbers per step, H heads. A mixer maps (B, T, D) to (B, T, D), or to
a pair of that and a state, as `nn.LSTM` does. All of them look back only.
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """A mixer, then a small network at each step; both are added to what comes in.

    width  D
    mixer  looks back over the steps
    """

    def __init__(self, width: int, mixer: nn.Module):
        super().__init__()
        self.mixer = mixer
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.at_each_step = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        mixed = self.mixer(self.norm_1(x))
        x = x + (mixed if isinstance(mixed, torch.Tensor) else mixed[0])
        return x + self.at_each_step(self.norm_2(x))


class Stack(nn.Module):
    """An embedding, one block for each mixer, and a linear layer: ids (B, T) to logits (B, T, C).

    vocab_size, classes  how many different numbers go in, and come out
    width                D
    mixers               one for each block
    positions            the longest T for which each place has an embedding of its own; 0 for none

    In training, a batch begins at a place that is drawn, so that all places are learned.
    """

    def __init__(
        self, vocab_size: int, classes: int, width: int, *mixers: nn.Module, positions: int = 0
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.places = nn.Embedding(positions, width) if positions else None
        self.blocks = nn.Sequential(*(Block(width, mixer) for mixer in mixers))
        self.norm, self.fc = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, ids):
        x = self.embedding(ids)
        if self.places is not None:
            T, first = ids.shape[1], 0
            if self.training:
                first = int(torch.randint(self.places.num_embeddings - T + 1, ()))
            x = x + self.places(torch.arange(first, first + T, device=ids.device))
        return self.fc(self.norm(self.blocks(x)))


class Keyed(nn.Module):
    """A mixer of queries, keys and values. Its first head has the keys of the step *before*.

    width, num_heads  D and H
    look              (q, k, v, num_heads) -> outputs, all but the last (B, T, D)
    rate_up_to        if given, `look` gets beta (B, T, H), between 0 and this, as its last argument
    rotary            turn queries and keys by their places (see `turned`)
    one_back          whether the first head has the keys of the step before

    A key from the step before is what a pair of key and value needs: the step that has the value
    stores it under what came just before. Such a look one step back is the smallest case of the
    short convolutions in S. Arora et al., Zoology, arXiv 2312.04927 (2023).
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        look: Callable,
        *,
        rate_up_to: float | None = None,
        rotary: bool = False,
        one_back: bool = True,
    ):
        super().__init__()
        self.num_heads, self.look, self.rate_up_to = num_heads, look, rate_up_to
        self.rotary, self.one_back = rotary, one_back
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.rates = nn.Linear(width, num_heads) if rate_up_to else None
        self.norm = nn.LayerNorm(width // num_heads)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x):
        q, k, v = self.queries_keys_values(x).chunk(3, dim=2)
        d = k.shape[2] // self.num_heads
        if self.one_back:
            before = F.pad(k[:, :-1, :d], (0, 0, 1, 0))  # nothing comes before the first step
            k = torch.cat([before, k[:, :, d:]], dim=2)
        if self.rotary:
            q, k = turned(q, self.num_heads), turned(k, self.num_heads)
        if self.rates is None:
            outputs = self.look(q, k, v, self.num_heads)
        else:
            outputs = self.look(q, k, v, self.num_heads, self.beta(x))
        heads = torch.as_tensor(outputs).unflatten(2, (self.num_heads, -1))
        return self.out(self.norm(heads).flatten(2))

    def beta(self, x: torch.Tensor) -> torch.Tensor:
        """Return the rates (…, H) of steps x (…, D): straight in the middle and flat at both ends.

        So 0 and the largest rate are reached. With a slope of 2 for 2.25 parity was not quite
        learned in 2 of 66 trainings; with one of 4 recall suffers. Raises ValueError if the mixer
        has no rates.
        """
        if self.rates is None or self.rate_up_to is None:
            raise ValueError("This mixer has no rates: give `rate_up_to` when you make it.")
        return self.rate_up_to * F.hardsigmoid(2.25 * self.rates(x))


def turned(x: torch.Tensor, num_heads: int, first: int = 0) -> torch.Tensor:
    """Return x (B, T, D), the numbers of each head turned in pairs by angles that grow with time.

    first: the place of the first step

    The product of a query and a key then depends on how far apart they stand, not on where.
    Source: J. Su et al., RoFormer: enhanced Transformer with rotary position embedding, arXiv
    2104.09864 (2021).
    """
    d = x.shape[2] // num_heads
    places = torch.arange(first, first + x.shape[1], device=x.device)
    speeds = 10_000.0 ** -(torch.arange(0, d, 2, device=x.device) / d)
    angles = places[:, None, None] * speeds  # (T, 1, d / 2)
    a, b = x.unflatten(2, (num_heads, d)).chunk(2, dim=3)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=3).flatten(2)


def linear_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, num_heads: int
) -> torch.Tensor:
    """Return (B, T, D): at each step the values so far, each times the product of q with its key.

    q, k, v  (B, T, D)

    Source: A. Katharopoulos et al., Transformers are RNNs, ICML (2020), there with positive
    queries and keys and divided by the sum of the weights.
    """
    q, k, v = (_heads(x, num_heads) for x in (q, k, v))
    return _joined((q @ k.mT).tril() @ v)


def delta_rule(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, num_heads: int, beta: torch.Tensor
) -> torch.Tensor:
    """Return (B, T, D): what queries read from a matrix into which keys write by the delta rule.

    q, k, v  (B, T, D); queries and keys are brought to length 1
    beta     (B, T, H), the rates

    All steps at once: section 6.7.3 has the triangular system that is solved.
    Source: S. Yang et al., Parallelizing linear Transformers with the delta rule over sequence
    length, NeurIPS (2024), there in chunks.
    """
    q, k, v = (_heads(x, num_heads) for x in (q, k, v))
    q, k, beta = F.normalize(q, dim=-1), F.normalize(k, dim=-1), beta.mT.unsqueeze(-1)
    before = (beta * (k @ k.mT)).tril(-1)  # (B, H, T, T)
    system = before + torch.eye(q.shape[2], dtype=q.dtype, device=q.device)
    u = torch.linalg.solve_triangular(system, beta * v, upper=False, unitriangular=True)
    return _joined((q @ k.mT).tril() @ u)


def _heads(x: torch.Tensor, num_heads: int) -> torch.Tensor:
    """Return (B, H, T, D / H)."""
    return x.unflatten(2, (num_heads, -1)).transpose(1, 2)


def _joined(x: torch.Tensor) -> torch.Tensor:
    """Return (B, T, D) of (B, H, T, D / H)."""
    return x.transpose(1, 2).flatten(2)
