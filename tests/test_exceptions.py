"""The commonest exceptions are explained, each as it is raised by PyTorch, NumPy and Python."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises import catalogue, exceptions

ONES = torch.ones(2, 3)
GENERATOR = (i for i in ())
NOTHING, FIVE, SEVERAL = None, 5, [1]


def trained_twice():
    loss = (torch.ones(1, requires_grad=True) ** 2).sum()
    loss.backward()
    loss.backward()


def overwritten():
    h = torch.ones(2, requires_grad=True).exp()
    h += 1
    h.sum().backward()


def a_branch_not_run(flag=False):
    if flag:
        value = 1
    return value


def without_an_end():
    return without_an_end()


def parameter_in_place():
    layer = nn.Linear(1, 1)
    layer.weight += 1


CASES = {
    exceptions.FLOATS: [
        lambda: ONES @ ONES.T.double(),
        lambda: ONES @ torch.ones(3).double(),
        lambda: torch.ones(3).dot(torch.ones(3).double()),
        lambda: nn.Linear(3, 1)(ONES.double()),
        lambda: nn.RNN(3, 1)(ONES.double()),
        lambda: nn.RNNCell(3, 1)(ONES, torch.zeros(2, 1).double()),
    ],
    "a product of matrices": [
        lambda: ONES @ ONES,
        lambda: np.ones((2, 3)) @ np.ones((2, 3)),
        lambda: nn.Linear(2, 1)(ONES),
        lambda: ONES @ torch.ones(2),
    ],
    "laid over each other": [
        lambda: ONES + torch.ones(2),
        lambda: np.ones((2, 3)) + np.ones(2),
    ],
    "as many numbers": [lambda: ONES.view(5), lambda: np.ones(3).reshape(2, 2)],
    "use `reshape`": [lambda: ONES.T.view(6)],
    "tensors of one shape": [lambda: torch.stack([ONES, ONES[:1]])],
    "must be of one size": [lambda: torch.cat([ONES, ONES.T])],
    "A list takes one index": [lambda: SEVERAL[:, 0]],
    "The list is empty": [
        lambda: torch.stack([]),
        lambda: torch.cat([]),
        lambda: np.concatenate([]),
    ],
    "as long as its `input_size`": [
        lambda: nn.RNN(4, 2)(ONES),
        lambda: nn.RNNCell(4, 2)(ONES),
    ],
    exceptions.STATE: [
        lambda: nn.RNN(3, 2, batch_first=True)(ONES[None], torch.zeros(1, 2)),
        lambda: nn.LSTM(3, 2)(ONES[None], (torch.zeros(1, 2), torch.zeros(1, 2))),
        lambda: nn.LSTM(3, 2)(ONES[None], (torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))),
        lambda: nn.GRU(3, 2, 2)(ONES[None], torch.zeros(1, 2, 2)),
    ],
    "A tuple stands here": [
        lambda: nn.RNN(3, 2)(ONES).sum(),
        lambda: nn.LSTM(3, 2)(ONES)[1].detach(),
        lambda: torch.relu(nn.RNN(3, 2)(ONES)),
    ],
    exceptions.ONLY_ONCE: [lambda: GENERATOR[0], lambda: len(GENERATOR)],
    "an earlier one has used up": [trained_twice],
    "takes a gradient": [lambda: ONES.sum().backward()],
    "NumPy keeps no gradients": [lambda: torch.ones(1, requires_grad=True).numpy()],
    "is changed in place": [parameter_in_place],
    exceptions.IN_PLACE: [overwritten],
    "one `True` or `False`": [lambda: bool(ONES), lambda: bool(np.ones(2))],
    "this is an array": [lambda: ONES.item(), lambda: float(ONES), lambda: float(np.ones(2))],
    "is the number of its rows": [lambda: nn.Embedding(3, 2)(torch.tensor([3]))],
    "An index lies outside": [lambda: ONES[2], lambda: np.ones(2)[2], lambda: [1][1]],
    "Probabilities": [
        lambda: torch.multinomial(torch.tensor([1.0, -1.0]), 1),
        lambda: torch.multinomial(torch.tensor([1.0, np.nan]), 1),
    ],
    "as whole numbers": [
        lambda: F.cross_entropy(ONES, torch.zeros(2).int()),
    ],
    "the classes on axis 1": [
        lambda: F.cross_entropy(torch.ones(2, 3, 4), torch.zeros(2, 3).long()),
        lambda: F.cross_entropy(ONES, torch.zeros(4).long()),
    ],
    "have no mean": [lambda: torch.ones(2).long().mean()],
    exceptions.NONE: [
        lambda: NOTHING.shape,
        lambda: NOTHING + 1,
        lambda: 1 + NOTHING,
        lambda: NOTHING[0],
    ],
    exceptions.ONE_NUMBER: [
        lambda: list(FIVE),
        lambda: list(torch.tensor(5)),
        lambda: list(np.array(5)),
        lambda: FIVE[0],
    ],
    exceptions.ARGUMENTS: [
        lambda: (lambda x: x)(),
        lambda: (lambda: 0)(1),
        lambda: (lambda: 0)(a=1),
    ],
    "without an end": [without_an_end],
    "divided by 0": [lambda: 1 / 0],
    "before it has a value": [a_branch_not_run],
}


@pytest.mark.parametrize("words", CASES)
def test_an_exception_is_explained(words):
    for raising in CASES[words]:
        said = said_by(raising)
        assert words in exceptions.explained(said), said


def test_every_explanation_is_tested():
    tested = {exceptions.explained(said_by(r)) for several in CASES.values() for r in several}
    assert tested == set(exceptions.EXPLAINED.values())


def said_by(raising):
    try:
        raising()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"


def test_a_card_has_the_explanation_below_the_exception(judged):
    result = judged(catalogue.find("rnn_step"), lambda x, h, W, V, b: x @ V.double(), 0)
    assert result.status == "raised"
    assert "Numbers of two types" in result.message or "do not go together" in result.message
