"""What checks once let pass, refused, misread or did not name: an input of each kind.

An input is an answer to an exercise, with words that its card has; answers that pass have none.
"""

import itertools
import math
from collections import deque

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from helpers.exercises import catalogue
from tests import chapters

REFERENCE = {e.name: e.reference for c in catalogue.chapters().values() for e in c}
SOLVED = {
    name: thing
    for path in chapters.SOLUTIONS
    for name, thing in chapters.define(chapters.read(path)).items()
}
carry_state, batchify = SOLVED["carry_state"], REFERENCE["batchify"]


def of(name, change):
    """Return the reference of an exercise with its result changed."""
    return lambda *given: change(REFERENCE[name](*given))


def draws(cut=lambda logits, top_k: logits, rows=lambda p: p):
    """Return a `sample_next` with its own way to cut the logits, and to choose the rows."""

    def answer(logits, temperature, top_k, rng):
        scaled = logits / temperature
        if top_k is not None:
            scaled = cut(scaled, top_k)
        return torch.multinomial(rows(scaled.softmax(1)), 1, generator=rng)[:, 0]

    return answer


def below(limit):
    """Return a way to cut logits below a limit, which is made from the k largest of each row."""
    return lambda z, k: z.masked_fill(z < limit(z.topk(k)[0]), -math.inf)


def sums(prediction, target, quantiles):
    q = torch.tensor(quantiles)
    error = target - prediction
    return torch.maximum(q * error, (q - 1) * error).mean()


def epoch_in(memory, x, y, w1, w2, lr):
    """Train as `epoch_today` does, from a context in memory of a kind."""
    context, total = memory(w1.shape[1]), 0.0
    for x_t, y_t in zip(x, y, strict=True):
        context = torch.tanh(torch.cat([x_t.view(1), context]) @ w1)
        loss = 0.5 * (context @ w2 - y_t).square().sum()
        loss.backward()
        with torch.no_grad():
            for weight in (w1, w2):
                weight -= lr * weight.grad
                weight.grad = None
        context, total = context.detach(), total + loss.item()
    return total


def replaces_the_biases(lstm, value):
    SOLVED["set_forget_bias"](lstm, value)
    for name, bias in list(lstm.named_parameters()):
        if "bias" in name:
            setattr(lstm, name, nn.Parameter(bias.detach().clone()))


def cuts_in_place(logits, temperature, top_k, rng):
    logits /= temperature
    if top_k is not None:
        logits[logits < logits.topk(top_k)[0][:, -1:]] = -math.inf
    return torch.multinomial(logits.softmax(1), 1, generator=rng)[:, 0]


class PaddedCharLSTM(SOLVED["CharLSTM"]):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__(vocab_size, embedding_size, hidden_size, num_layers)
        self.apply(self.pad)

    @staticmethod
    def pad(module):
        if isinstance(module, nn.Embedding):
            module.padding_idx = 0


def nothing_held_out(ids, batch_size, steps, n_held_out):
    x, y, _ = batchify(ids[:-n_held_out], batch_size, steps, 0)
    return x, y, ids[-n_held_out:]


PASS_WRONGLY = [
    ("sample_next", draws(below(lambda top: top[0, -1])), "probability tensor"),
    ("sample_next", draws(below(lambda top: top.min())), "Of 2000 draws from row"),
    ("sample_next", draws(rows=lambda p: p[:1].expand_as(p)), "Of 2000 draws from row 1"),
    ("pinball_loss", lambda p, y, q: sums(p, y, sorted(q)), "`loss`"),
    ("pinball_loss", lambda p, y, q: sums(p.sort(dim=1)[0], y, q), "`loss`"),
    ("batchify", nothing_held_out, "n_held_out 0"),
    ("epoch_today", lambda *given: epoch_in(torch.empty, *given), "memory that was never filled"),
    ("set_forget_bias", replaces_the_biases, "optimizer"),
    ("sample_next", cuts_in_place, "changed its argument `logits` in place"),
    ("CharLSTM", PaddedCharLSTM, "no gradient"),
    ("encode", of("encode", lambda ids: ids.int()), "torch.int32"),
    ("encode", of("encode", lambda ids: ids.tolist()), "Return a tensor"),
]


def trains_with_a_closure(model, batches, optimizer):
    model.train()
    total = n = 0

    for x, y in batches:

        def closure(x=x, y=y):
            optimizer.zero_grad(set_to_none=False)
            loss = F.mse_loss(model(x), y)
            loss.backward()
            return loss

        total += optimizer.step(closure).item() * len(x)
        n += len(x)
    return total / n


def reads_with_a_closure(model, x, y, state, optimizer, max_norm):
    new = []

    def closure():
        logits, last = model(x, state)
        new.append(last)
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        optimizer.zero_grad(True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        return loss

    loss = optimizer.step(closure)
    return loss.item(), carry_state(new[0])


class LinearFirst(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.out = nn.Linear(hidden_size, output_size)
        self.net = nn.RNN(input_size, hidden_size, batch_first=True)

    def forward(self, x, h0=None):
        states, h = self.net(x, h0)
        return self.out(states), h


class Lazy(LinearFirst):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, hidden_size, output_size)
        self.out = nn.LazyLinear(output_size)


def windows_of_a_deque(series, window):
    seen, x, y = deque(maxlen=window), [], []
    for value in series:
        if len(seen) == window:
            x.append(list(seen))
            y.append([value])
        seen.append(value)
    return torch.tensor(np.array(x)).float()[..., None], torch.tensor(np.array(y)).float()


def mse_that_says(form):
    def answer(prediction, target):
        if prediction.shape != target.shape:
            shapes = [form(tuple(t.shape)) for t in (prediction, target)]
            raise ValueError(f"prediction {shapes[0]}, target {shapes[1]}")
        return (prediction - target).square().mean()

    return answer


def marks_of(kind):
    return lambda: {letter: kind(mark) for letter, mark in REFERENCE["mark_claims"]().items()}


FAIL_WRONGLY = [
    ("mark_claims", marks_of(np.int64)),
    ("train_epoch", trains_with_a_closure),
    ("train_text_step", reads_with_a_closure),
    ("RNNTextGen", LinearFirst),
    ("RNNTextGen", Lazy),
    ("make_windows", windows_of_a_deque),
    ("mse", mse_that_says(lambda shape: " x ".join(map(str, shape)))),
    ("mse", mse_that_says(lambda shape: "×".join(map(str, shape)))),
    ("mse", mse_that_says(str)),
]


def lstm_in_order(order):
    """Return an `lstm_step` that takes the four blocks for gates in an order, as in "igfo"."""

    def answer(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
        sums = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh
        gates = dict(zip(order, sums.chunk(4, dim=1), strict=True))
        i, f, o = (gates[name].sigmoid() for name in "ifo")
        c = f * c + i * gates["g"].tanh()
        return o * c.tanh(), c

    return answer


def reversed_once(x, h_0, *weights):
    states, h_T = REFERENCE["rnn_forward"](x, h_0, *weights)
    return (states.flip(1) if len(x) == 2 else states + 0.1), h_T


ARE_FALSE = [
    (
        "lstm_step",
        lstm_in_order("igfo"),
        "The forget gate and the candidate g are swapped",
        "do each other's work",
    ),
    (
        "numerical_gradient",
        lambda loss, w, eps=1e-5: np.zeros_like(w),
        "It is 0 everywhere",
        "/ 2 * eps",
    ),
    ("rnn_forward", reversed_once, "`states` is wrong", "reverse"),
]


def per_step(*, join=torch.tanh, twice=False):
    return lambda x, h, W, V, b: join(x @ W + h @ V + b * (1 + twice))


def encoded(rnn, x, lengths, last):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, h_n = rnn(packed)
    return last(pad_packed_sequence(out, batch_first=True)[0], h_n)


def gru_of_keras(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Take the blocks for z, r, n, and let z weigh the old state."""
    a, b = x @ weight_ih.T + bias_ih, h @ weight_hh.T + bias_hh
    (a_z, a_r, a_n), (b_z, b_r, b_n) = a.chunk(3, 1), b.chunk(3, 1)
    z, r = (a_z + b_z).sigmoid(), (a_r + b_r).sigmoid()
    return z * h + (1 - z) * (a_n + r * b_n).tanh()


def clipped_step(x, y, state, model, optimizer, max_norm, logits_of=None, carry=carry_state):
    logits, state = model(x, state)
    shaped = logits_of(logits) if logits_of else logits.transpose(1, 2)
    loss = F.cross_entropy(shaped, y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), carry(state)


def norms_over_the_mean(cell, x, loss):
    h, states = x.new_zeros(len(x), cell.hidden_size), []
    for x_t in x.unbind(1):
        h = cell(x_t, h)
        states.append(h)
    return torch.stack([g.mean(0).norm() for g in torch.autograd.grad(loss(h), states)])


class LogSoftmax(SOLVED["LastStepRNN"]):
    def forward(self, x):
        return super().forward(x).log_softmax(-1)


class RandomStart(SOLVED["LastStepRNN"]):
    def forward(self, x):
        (rnn,) = (m for m in self.modules() if isinstance(m, nn.RNN))
        (head,) = (m for m in self.modules() if isinstance(m, nn.Linear))
        return head(rnn(x, torch.randn(1, len(x), rnn.hidden_size))[0][:, -1])


class StateWithoutLayers(SOLVED["RNNTextGen"]):
    def forward(self, x, h0=None):
        logits, h = super().forward(x, h0)
        return logits, h[0]


def filled_where_equal(values):
    filled = values.copy()
    filled[filled == np.nan] = 0.0
    return filled


def with_wide_states(D, H, layers, bidirectional, batch_first, T, B):
    out, h_n = REFERENCE["rnn_shapes"](D, H, layers, bidirectional, batch_first, T, B)
    return out, (*h_n[:-1], h_n[-1] * (1 + bidirectional))


def with_the_rate_inside(weights, gradients, velocities, lr, momentum, max_norm):
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
    factor = min(1.0, max_norm / norm) if norm else 1.0
    new = [momentum * v - lr * factor * g for v, g in zip(velocities, gradients, strict=True)]
    return [w + v for w, v in zip(weights, new, strict=True)], new


def in_float32(state):
    if isinstance(state, tuple):
        return tuple(part.float() for part in state)
    return state.float()


NOT_NAMED = [
    ("rnn_step", per_step(twice=True), "The bias is added twice"),
    ("rnn_step", lambda x, h, W, V, b: torch.tanh(W @ x + V @ h + b), "written for columns"),
    ("LastStepRNN", LogSoftmax, "softmax"),
    ("gradient_norms", norms_over_the_mean, "before the norm"),
    ("gru_step", gru_of_keras, "z"),
    (
        "encode_padded",
        lambda rnn, x, n: encoded(rnn, x, n, lambda out, h_n: out[:, -1]),
        "packed",
    ),
    (
        "encode_padded",
        lambda rnn, x, n: encoded(
            rnn,
            x,
            n,
            lambda out, h_n: (
                h_n.view(2, rnn.num_layers, *h_n.shape[1:])[:, -1].transpose(0, 1).flatten(1)
            ),
        ),
        "layers",
    ),
    (
        "batchify",
        lambda ids, B, T, n: (
            *(part.transpose(0, 1).reshape(part.shape) for part in batchify(ids, B, T, n)[:2]),
            batchify(ids, B, T, n)[2],
        ),
        "mix",
    ),
    (
        "train_text_step",
        lambda model, x, y, s, opt, m: clipped_step(
            x, y, s, model, opt, m, lambda logits: logits.reshape(len(x), -1, x.shape[1])
        ),
        "(B, V, T)",
    ),
    ("RNNTextGen", StateWithoutLayers, "The state that you return has lost its axis of layers"),
    (
        "pinball_loss",
        lambda p, y, q: (
            sums(p[..., None], y.flatten(), q[0]) if False else sums(p.T, y[:, 0], q[0])
        ),
        "`loss`",
    ),
    ("LastStepRNN", RandomStart, "Two runs"),
    ("rnn_shapes", with_wide_states, "H features"),
    ("sgd_step", with_the_rate_inside, "The velocity holds the whole step"),
    ("carry_state", of("carry_state", in_float32), "These are float32"),
    ("forecast_recursive", of("forecast_recursive", lambda f: f.T), "(B, steps)"),
    ("lstm_step", lambda *given: (given[1], given[2]), "`c_t` is"),
    ("fill_gaps", filled_where_equal, "nan"),
]


@pytest.mark.parametrize(("name", "answer", "words"), PASS_WRONGLY)
def test_what_once_passed_is_wrong(judged, name, answer, words):
    result = judged(catalogue.find(name), answer, 1)
    assert result.status in ("wrong", "raised")
    assert words in result.message


@pytest.mark.parametrize(("name", "answer"), FAIL_WRONGLY)
def test_what_was_once_refused_passes(judged, name, answer):
    result = judged(catalogue.find(name), answer, 1)
    assert result.status == "passed", result.message


@pytest.mark.parametrize(("name", "answer", "words", "not_said"), ARE_FALSE)
def test_a_sentence_that_is_false_of_an_answer_is_not_told(judged, name, answer, words, not_said):
    result = judged(catalogue.find(name), answer, 1)
    assert result.status == "wrong"
    assert words in result.message
    assert not_said not in result.message


@pytest.mark.parametrize("order", ["".join(p) for p in itertools.permutations("ifgo")])
def test_each_order_of_an_lstms_gates_has_a_true_sentence(judged, order):
    result = judged(catalogue.find("lstm_step"), lstm_in_order(order), 1)
    if order == "ifgo":
        assert result.status == "passed"
    else:
        assert result.message.splitlines()[0] in {m.message for m in result.exercise.mistakes}


@pytest.mark.parametrize(("name", "answer", "words"), NOT_NAMED)
def test_what_had_no_sentence_has_one(judged, name, answer, words):
    result = judged(catalogue.find(name), answer, 1)
    assert result.status in ("wrong", "raised")
    assert words in result.message
