"""What goes wrong alike in a step of an LSTM and of a GRU: gates, blocks and weights.

B sequences in a batch, H hidden size.
"""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from helpers.exercises.contract import Mistake

# Sentence -> what a gate does with its sum (B, H).
GATES: dict[str, list[Callable]] = {
    "The gates are not squashed. Each of them goes through a sigmoid.": [lambda sums: sums],
    "The gates go through `tanh`. A gate is a share, between 0 and 1: take a sigmoid.": [
        torch.tanh
    ],
    "The gates go through ReLU. A gate is a share, between 0 and 1: take a sigmoid.": [torch.relu],
    "The gates go through a sigmoid twice. Once is what the equations have.": [
        lambda sums: sums.sigmoid().sigmoid()
    ],
    "The gates go through a softmax, so that the units share what each of them should decide for "
    "itself. Take a sigmoid.": [lambda sums: sums.softmax(dim=1)],
    "The gates are a hard sigmoid, made of straight lines. Take `torch.sigmoid`.": [
        lambda sums: (0.2 * sums + 0.5).clamp(0, 1),
        F.hardsigmoid,
    ],
}
# Sentence -> how n blocks are cut from sums (B, nH).
CUTS: dict[str, list[Callable]] = {
    "The blocks lie one behind the other, H columns each, not by turns: use `chunk`.": [
        lambda sums, n: [sums[:, k::n] for k in range(n)]
    ],
    "The sums are viewed with the blocks in front, which mixes sequences and blocks: in memory "
    "each sequence has its blocks side by side. Use `chunk` along axis 1.": [
        lambda sums, n: sums.reshape(n, len(sums), -1)
    ],
    "`chunk` and `split` cut along the batch unless you name the axis. The blocks stand side by "
    "side along axis 1: `dim=1`.": [
        lambda sums, n: sums.chunk(n),
        lambda sums, n: sums.split(sums.shape[1] // n),
    ],
    "The pieces have the wrong width: `split` takes the size of a piece, H, `chunk` the number of "
    "pieces.": [lambda sums, n: sums.split(n, dim=1)],
}
# Sentence -> what is computed with in place of weight_ih W, weight_hh U, bias_ih b and bias_hh d.
WEIGHTS: dict[str, list[Callable]] = {
    "`bias_hh` is missing. PyTorch has two biases, and both are added.": [
        lambda W, U, b, d: (W, U, b, 0 * d)
    ],
    "`bias_ih` is missing. PyTorch has two biases, and both are added.": [
        lambda W, U, b, d: (W, U, 0 * b, d)
    ],
    "Both biases are missing from the sums.": [lambda W, U, b, d: (W, U, 0 * b, 0 * d)],
    "`bias_ih` is added twice, `bias_hh` not at all.": [lambda W, U, b, d: (W, U, b, b)],
    "`bias_hh` is added twice, `bias_ih` not at all.": [lambda W, U, b, d: (W, U, d, d)],
    "Both biases are added twice.": [lambda W, U, b, d: (W, U, 2 * b, 2 * d)],
    "`h_prev` does not enter the sums. Multiply it by `weight_hh.T`, and add it.": [
        lambda W, U, b, d: (W, 0 * U, b, d),
        lambda W, U, b, d: (W, 0 * U, b, 0 * d),
    ],
    "`x_t` does not enter the sums. Multiply it by `weight_ih.T`, and add it.": [
        lambda W, U, b, d: (0 * W, U, b, d),
        lambda W, U, b, d: (0 * W, U, 0 * b, d),
    ],
    "A matrix is brought into shape by `reshape` or `view`, which leaves its numbers in their "
    "order. Transpose it: `.T`.": [
        lambda W, U, b, d: (reshaped(W), U, b, d),
        lambda W, U, b, d: (W, reshaped(U), b, d),
        lambda W, U, b, d: (reshaped(W), reshaped(U), b, d),
    ],
    "Each block of `weight_hh`, (H, H), has its outputs first, too: multiply by its `.T`.": [
        lambda W, U, b, d: (W, U.unflatten(0, (-1, U.shape[1])).mT.flatten(0, 1), b, d)
    ],
}


def reshaped(weight: torch.Tensor) -> torch.Tensor:
    """Return the matrix that is in effect where `weight` is reshaped, not transposed."""
    return weight.reshape(weight.shape[::-1]).T


def cell_mistakes(step: Callable, wrong: Callable, n: int) -> tuple[Mistake, ...]:
    """Return what goes wrong alike in the step of any cell.

    step   the right one, called with x_t, h_prev, and at last the four weights
    wrong  makes one that departs from it in `gate` or `cut`
    n      blocks
    """

    def with_weights(change):
        return lambda *given: step(*given[:-4], *change(*given[-4:]))

    ways = {sentence: [wrong(gate=gate) for gate in gates] for sentence, gates in GATES.items()}
    for sentence, cuts in CUTS.items():
        ways[sentence] = [wrong(cut=lambda sums, cut=cut: cut(sums, n)) for cut in cuts]
    for sentence, changes in WEIGHTS.items():
        ways[sentence] = [with_weights(change) for change in changes]
    # PyTorch stops at the product, so that what would follow does not matter.
    ways[
        f"The matrices are stored outputs first, ({n}H, D) and ({n}H, H): multiply by `.T`, or "
        "give `F.linear` the matrix as it is."
    ] = [
        lambda *given: given[0] @ given[-4],
        lambda *given: given[1] @ given[-3],
    ]
    ways[
        "Where `h_prev` is all zero, the recurrent part is left out, and `bias_hh` with it. The "
        "bias is added there as well."
    ] = [lambda *given: step(*given[:-1], given[-1] * bool(given[1].any()))]
    return tuple(Mistake(sentence, first, tuple(also)) for sentence, (first, *also) in ways.items())
