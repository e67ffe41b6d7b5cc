"""What is to be written by hand is seen by what an answer calls, whatever it is called by."""

import functools
import sys

import pytest
import torch
from torch import nn

from helpers.calling.watching import unwatched, watched
from helpers.exercises import catalogue
from helpers.exercises.cards import Card

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
X, H = torch.randn(2, 3), torch.randn(2, 4)
CELL = nn.RNNCell(3, 4)
WEIGHTS = [parameter.detach() for parameter in CELL.parameters()]


def a_kind_of(base, name):
    return next(kind for kind in base.__subclasses__() if kind.__name__ == name)


def disabled():
    with torch._C.DisableTorchFunction():
        return torch.rnn_tanh_cell(X, H, *WEIGHTS)


def by_the_engine():
    loss, parameters = CELL(X, H).sum(), tuple(CELL.parameters())
    engine, ones = torch.autograd.Variable._execution_engine, (torch.ones(()),)
    return engine.run_backward(
        (loss,), ones, False, False, parameters, allow_unreachable=True, accumulate_grad=False
    )


class Derived(nn.LSTM):
    pass


STEPS = {
    "module": lambda: CELL(X, H),
    "function": lambda: torch.rnn_tanh_cell(X, H, *WEIGHTS),
    "another module's alias": lambda: torch._VF.rnn_tanh_cell(X, H, *WEIGHTS),
    "the inside of torch": lambda: torch._C._VariableFunctions.rnn_tanh_cell(X, H, *WEIGHTS),
    "operator": lambda: torch.ops.aten.rnn_tanh_cell(X, H, *WEIGHTS),
    "overload": lambda: torch.ops.aten.rnn_tanh_cell.default(X, H, *WEIGHTS),
    "called by map": lambda: list(
        map(functools.partial(torch.rnn_tanh_cell, X, H), *([w] for w in WEIGHTS))
    ),
    "functional_call": lambda: torch.func.functional_call(CELL, {}, (X, H)),
    "subclasses": lambda: a_kind_of(nn.modules.rnn.RNNCellBase, "RNNCell")(3, 4)(X, H),
    "without overrides": disabled,
}
GRADIENTS = {
    "backward": lambda: CELL(X, H).sum().backward(),
    "grad": lambda: torch.autograd.grad(CELL(X, H).sum(), list(CELL.parameters())),
    "engine": by_the_engine,
    "func.grad": lambda: torch.func.grad(lambda x: x.square().sum())(X),
    "jacobian": lambda: torch.autograd.functional.jacobian(lambda x: x.square().sum(), X),
    "forward mode": lambda: torch.func.jacfwd(lambda x: x.square().sum())(X),
}
OTHERS = {
    "lstm": Derived(3, 4),
    "gru_cell": lambda x: nn.GRUCell(3, 4)(x),
    "clip_grad_norm_": lambda x: nn.utils.clip_grad_norm_([x], 1.0),
    "scaled_dot_product_attention": lambda x: nn.functional.scaled_dot_product_attention(x, x, x),
    "Module": lambda x: Derived(3, 4),
    "cross_entropy": lambda x: nn.CrossEntropyLoss()(x, torch.tensor([0, 1])),
    "start_new_thread": lambda x: __import__("_thread").start_new_thread(int, ()),
    "setprofile": lambda x: sys.setprofile(None),
}


@pytest.mark.parametrize("way", STEPS)
def test_a_step_of_torch_is_seen(way):
    with watched(catalogue.find("rnn_step").by_hand) as called:
        STEPS[way]()
    assert called == {"rnn_tanh_cell"}


@pytest.mark.parametrize("way", GRADIENTS)
def test_gradients_of_torch_are_seen(way):
    with watched(catalogue.find("sine_backward").by_hand) as called:
        GRADIENTS[way]()
    assert called


@pytest.mark.parametrize("name", OTHERS)
def test_other_functions_are_seen(name):
    with watched(frozenset([name])) as called:
        OTHERS[name](X)
    assert name in called


def test_what_only_has_the_name_is_not_seen_and_the_profiler_is_left_as_it_was():
    def backward(x):
        return x

    before = sys.getprofile()
    with watched(frozenset(["backward", "rnn_tanh_cell", "Module"])) as called:
        backward(torch.tanh(X))
        X.grad, nn.RNNCell  # noqa: B018 - named, and not called
    assert called == set()
    assert sys.getprofile() is before
    with watched(frozenset()) as called:
        backward(X)
        assert sys.getprofile() is before


def test_what_is_called_while_nobody_looks_is_not_seen_and_what_is_called_after_it_is():
    with watched(frozenset(["rnn_tanh_cell", "sorted", "stack"])) as called:
        with unwatched():
            list(map(torch.stack, [[X]]))  # seen by torch's mode alone
            sorted([])  # seen by the profiler alone
        CELL(X, H)
    assert called == {"rnn_tanh_cell"}


def test_where_nothing_is_watched_there_is_nothing_to_look_away_from():
    before = sys.getprofile()
    with unwatched():
        assert sys.getprofile() is before
    assert sys.getprofile() is before


def test_what_a_reference_calls_is_not_the_answers(judged):
    """In a notebook `rnn_step` is the reference until an answer passes."""

    def rnn_forward(x, h_0, *weights):
        states = [h_0]
        for x_t in x.unbind(dim=1):
            states.append(catalogue.find("rnn_step").reference(x_t, states[-1], *weights))
        return torch.stack(states[1:], dim=1), states[-1]

    result = judged(catalogue.find("rnn_forward"), rnn_forward)
    assert (result.status, result.called) == ("passed", ())


def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    zero = torch.zeros_like(b_h)
    return torch.rnn_tanh_cell(x_t, h_prev, W_xh.T, W_hh.T, b_h, zero)


def test_the_card_says_what_was_called(judged):
    result = judged(catalogue.find("rnn_step"), rnn_step)
    assert result.status == "passed"
    assert result.called == ("rnn_tanh_cell",)
    said = "It calls rnn_tanh_cell, as nn.RNNCell does: this exercise is to be done without."
    assert said in repr(Card(result))


def test_the_card_leaves_out_what_is_called_within_what_it_names(judged):
    def gradients(x, y, w1, w2):
        weights = [torch.tensor(w, requires_grad=True) for w in (w1, w2)]
        h, loss = torch.zeros(w2.shape[0], dtype=torch.float64), 0.0
        for x_t, y_t in zip(map(torch.tensor, x), map(torch.tensor, y), strict=True):
            h = torch.tanh(torch.cat([x_t[None], h]) @ weights[0])
            loss = loss + 0.5 * (h @ weights[1] - y_t).square().sum()
        return [g.numpy() for g in torch.autograd.grad(loss, weights)]

    result = judged(catalogue.find("fast_gradients"), gradients)
    assert (result.status, set(result.called)) == ("passed", {"grad", "run_backward"})
    assert "It calls grad: this exercise" in repr(Card(result))
