"""`train_text_step`: one update on one chunk of text, and the state for the next, section 5.5.

B texts side by side, T time steps, V characters, H hidden size.
"""

from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_05 import call_train_text_step
from helpers.exercises.chapter_01.carry_state import carry_state
from helpers.exercises.chapter_05.parts.updates import (
    MORE_STEPS,
    clips_each_tensor,
    cross_entropy,
    explain,
    hands_the_old_state_on,
    likelihood,
    loss_after_the_step,
    of_a_pair,
    of_steps,
    one_part_detached,
    retains_the_graph,
    scales_to_the_norm,
    starts_afresh,
    state_after_the_step,
    steps_before_everything,
    wrong,
)
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


def train_text_step(model, x, y, state, optimizer, max_norm):
    """Update `model` on a chunk; return the loss, a number, and the state, cut from its graph.

    x and y are int64 (B, T), the state is a tensor, a pair of tensors (layers, B, H), or None. The
    gradients are those of `torch.autograd.grad`, the global norm is worked out by hand.
    """
    parameters = list(model.parameters())
    logits, new = model(x, state)  # (B, T, V)
    loss = -logits.log_softmax(dim=-1).gather(2, y.unsqueeze(2)).mean()
    gradients = torch.autograd.grad(loss, parameters)
    norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient * min(1.0, max_norm / (float(norm) + 1e-6))
    optimizer.step()
    return loss.item(), carry_state(new)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw four chunks for networks of both kinds. The last norm is too large to clip anything."""
    settings = [  # network, V, B, T, max_norm
        ("LSTM", 5, 3, 4, 0.3),
        ("RNN", 6, 1, 7, 0.2),
        ("LSTM", 4, 4, 5, 100.0),
    ]
    return [
        {
            "x": rng.integers(V, size=(4, B, T)),
            "y": rng.integers(V, size=(4, B, T)),
            "network": network,
            "letters": V,
            "max_norm": max_norm,
            "seed": new_seed(rng),
        }
        for network, V, B, T, max_norm in settings
    ]


EXERCISE = Exercise(
    name="train_text_step",
    title="one update on one chunk, and the state for the next",
    points=3,
    difficulty=2,
    outputs={
        "losses": "T",
        "trained weights": "weight",
        "calls of optimizer.step": "",
        "the loss holds on to its graph": "",
        "the state holds on to its graph": "",
    },
    cases=cases,
    drive=call_train_text_step,
    reference=train_text_step,
    against="`torch.autograd.grad` and a global norm worked out by hand, over four chunks,",
    explain=explain,
    mistakes=(
        Mistake(
            "A `backward` walks into a graph that is gone: the state is handed on with it (cut it "
            "with `carry_state`), or a loss is used twice.",
            wrong(carry=lambda state: state),
        ),
        Mistake(
            "Of an LSTM's pair not both parts are detached; one still drags the graph along.",
            wrong(carry=lambda state: one_part_detached(state, 0)),
        ),
        Mistake(
            "This takes every state for a pair. A plain RNN's is one tensor: `carry_state` knows "
            "both.",
            wrong(carry=lambda state: tuple(part.detach() for part in state)),
            also=(wrong(carry=lambda state: (state[0].detach(), state[1].detach())),),
        ),
        Mistake(
            "`retain_graph=True` silences one error and meets the next: the old graph needs "
            "weights that `optimizer.step` has changed. Cut the state with `carry_state` instead.",
            retains_the_graph,
        ),
        Mistake(
            "Every chunk starts afresh. Hand the state in, `model(x, state)`, and hand its numbers "
            "on, detached.",
            starts_afresh,
        ),
        Mistake(
            "Gradients add up from chunk to chunk: `optimizer.zero_grad()` is missing.",
            wrong(order="backward clip step"),
        ),
        Mistake(
            "The gradient is not clipped to `max_norm` when the update is made. "
            "`nn.utils.clip_grad_norm_` stands between `backward` and `step`.",
            wrong(order="zero_grad backward step"),
            also=(wrong(clip=lambda parameters, _: nn.utils.clip_grad_norm_(parameters, 1.0)),),
        ),
        Mistake(
            "Each tensor is clipped on its own. One norm over all tensors together keeps the "
            "direction.",
            wrong(clip=clips_each_tensor),
        ),
        Mistake(
            "Single values are clipped, which changes the direction. Use `clip_grad_norm_`.",
            wrong(clip=nn.utils.clip_grad_value_),
        ),
        Mistake(
            "The weights never change: `optimizer.step()` is missing.",
            wrong(order="zero_grad backward clip"),
        ),
        Mistake(
            "The optimizer finds no gradient when it steps, so nothing learns. The order is "
            "`zero_grad`, `backward`, clip, `step`.",
            wrong(order="backward zero_grad clip step"),
        ),
        Mistake(
            "The two values are in the wrong order: the loss first, then the state.",
            lambda *given: train_text_step(*given)[::-1],
        ),
        Mistake(
            "The update is made before `backward`, with the gradients of the chunk before.",
            steps_before_everything,
        ),
        Mistake(
            "`cross_entropy` gets probabilities, and applies its softmax a second time. Give it "
            "the logits.",
            wrong(loss_of=lambda logits, y: cross_entropy(logits.softmax(dim=-1), y)),
        ),
        Mistake(
            "`cross_entropy` wants the classes on axis 1, the targets without it. Flatten: "
            "`logits.flatten(0, 1)` (B·T, V) against `y.flatten()` (B·T).",
            wrong(loss_of=F.cross_entropy),
            also=(wrong(loss_of=lambda logits, y: F.cross_entropy(logits.flatten(0, 1), y)),),
        ),
        Mistake(
            "`view(B, V, T)` does not turn (B, T, V) round, it reads the numbers in another order: "
            "they meet other classes. Use `transpose(1, 2)`, or flatten.",
            wrong(loss_of=lambda z, y: F.cross_entropy(z.reshape(len(z), z.shape[2], -1), y)),
        ),
        Mistake(
            "Logits and targets are flattened in different order, so characters meet the wrong "
            "targets. `flatten` both as they are.",
            wrong(loss_of=lambda logits, y: cross_entropy(logits, y.T)),
        ),
        Mistake(
            "Only the last step of the chunk enters the loss. Every step has a target.",
            wrong(loss_of=lambda logits, y: F.cross_entropy(logits[:, -1], y[:, -1])),
        ),
        Mistake(
            "The loss is the sum over the chunk. Take the mean, or its size depends on the batch.",
            wrong(loss_of=lambda logits, y: cross_entropy(logits, y, reduction="sum")),
        ),
        Mistake(
            "These losses are taken after the update. Return the loss that was differentiated.",
            loss_after_the_step,
        ),
        Mistake(
            "The state is computed anew after the update. Carry on the one that came with the "
            "logits.",
            state_after_the_step,
        ),
        Mistake(
            "The loss is a tensor that drags its graph along. Return a number: `loss.item()`.",
            wrong(keep=lambda loss: loss),
        ),
        Mistake(
            "Every gradient is scaled to the norm `max_norm`, one that is shorter, too. Clip only "
            "what is longer.",
            wrong(clip=scales_to_the_norm),
        ),
        Mistake(
            "The norm that is clipped is another than the global one: the root of the sum of all "
            "squares.",
            wrong(clip=partial(nn.utils.clip_grad_norm_, norm_type=1)),
        ),
        Mistake(
            "The loss is a sum of means, one for each step. Take one mean over all B T characters.",
            wrong(loss_of=lambda z, y: sum(map(F.cross_entropy, z.unbind(1), y.unbind(1)))),
        ),
        Mistake(
            "`detach` belongs to a tensor, and the state of an LSTM is a pair of them. "
            "`carry_state` knows both.",
            wrong(carry=lambda state: state.detach()),
        ),
        Mistake(
            "The state that was handed in is handed on, not the new one, which came with the "
            "logits.",
            hands_the_old_state_on,
        ),
        Mistake(
            "Of an LSTM's pair only one part is handed on. It goes on from both, h and c.",
            wrong(carry=of_a_pair(lambda pair: pair[0])),
            also=(wrong(carry=of_a_pair(lambda pair: pair[1])),),
        ),
        Mistake(
            "h and c have changed places in the state that is handed on.",
            wrong(carry=of_a_pair(lambda pair: pair[::-1])),
        ),
        Mistake(
            "The state is detached when it comes in, but the one that is returned still holds its "
            "graph. Return it detached: `carry_state`.",
            wrong(
                start=lambda state: None if state is None else carry_state(state),
                carry=lambda state: state,
            ),
        ),
        Mistake(
            MORE_STEPS,
            wrong(order="zero_grad backward clip step step"),
        ),
        Mistake(
            "Characters with number 0 are left out of the loss: `ignore_index` or a mask takes "
            "them for padding. Every character counts.",
            wrong(
                loss_of=lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten(), ignore_index=0)
            ),
        ),
        Mistake(
            "Logits and targets are shifted against each other. `y` is one character further "
            "already: step t of both belongs together.",
            wrong(loss_of=of_steps(slice(-1), slice(1, None))),
            also=(wrong(loss_of=of_steps(slice(1, None), slice(-1))),),
        ),
        Mistake(
            "The targets are taken from `x`. They are `y`.",
            wrong(target=lambda x, y: x),
            also=(wrong(target=lambda x, y: x, loss_of=of_steps(slice(-1), slice(1, None))),),
        ),
        Mistake(
            "The first or the last step of the chunk is left out of the loss. Each of the B T "
            "characters counts.",
            wrong(loss_of=of_steps(slice(1, None), slice(1, None))),
            also=(wrong(loss_of=of_steps(slice(-1), slice(-1))),),
        ),
        Mistake(
            "Only the first row of the batch enters the loss. Each row is a text of its own.",
            wrong(loss_of=lambda logits, y: cross_entropy(logits[:1], y[:1])),
        ),
        Mistake(
            "`nll_loss` gets no log-probabilities. Give it `log_softmax` of the logits, or take "
            "`cross_entropy`, which does both.",
            wrong(loss_of=likelihood(lambda logits: logits)),
            also=(wrong(loss_of=likelihood(lambda logits: logits.softmax(dim=-1))),),
        ),
        Mistake(
            "This is a squared error. The loss is the cross entropy of the characters.",
            wrong(loss_of=lambda z, y: F.mse_loss(z, F.one_hot(y, z.shape[2]).float())),
        ),
        Mistake(
            "The loss has the wrong sign, so the update goes uphill.",
            wrong(loss_of=lambda logits, y: -cross_entropy(logits, y)),
        ),
    ),
)
