"""A stack of blocks that reads all characters at once, made to write one at a time."""

import torch
from torch.nn import functional as F

from helpers.stacks import Keyed, turned


class Writer:
    """A trained stack, one character at a time: writer(ids (B,)) -> logits (B, C).

    chapter: what the chapter's exercises define; `attention_step` and `delta_rule_step` are used
    """

    def __init__(self, net, chapter):
        self.net, self.chapter, self.states = net, chapter, [None] * len(net.blocks)

    def __call__(self, ids):
        x = self.net.embedding(ids)
        for i, block in enumerate(self.net.blocks):
            step = self.keyed if isinstance(block.mixer, Keyed) else self.recurrent
            mixed, self.states[i] = step(block.mixer, block.norm_1(x), self.states[i])
            x = x + mixed
            x = x + block.at_each_step(block.norm_2(x))
        return self.net.fc(self.net.norm(x))

    def recurrent(self, mixer, x, state):
        outputs, state = mixer(x[:, None], state)
        return outputs[:, 0], state

    def keyed(self, mixer, x, state):
        """Take one step of queries, keys and values; the first head has the key of the last one."""
        q, new, v = mixer.queries_keys_values(x).chunk(3, dim=1)
        H, d = mixer.num_heads, q.shape[1] // mixer.num_heads
        t, last, kept = state or (0, torch.zeros_like(new), None)
        k = torch.cat([last[:, :d], new[:, d:]], dim=1)
        if mixer.rotary:
            q, k = (turned(each[:, None], H, t)[:, 0] for each in (q, k))
        if mixer.rates is None:
            outputs, kept = self.chapter["attention_step"](q, k, v, kept, H)
        else:
            beta = mixer.beta(x)
            q, k, v = (each.unflatten(1, (H, d)).flatten(0, 1) for each in (q, k, v))
            q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)
            S = q.new_zeros(len(q), d, d) if kept is None else kept
            outputs, kept = self.chapter["delta_rule_step"](S, q, k, v, beta.flatten())
        return mixer.out(mixer.norm(outputs.view(len(x), H, d)).flatten(1)), (t + 1, new, kept)

    def bytes(self):
        """Return how many bytes are handed on to the next step."""

        def of(state):
            if isinstance(state, torch.Tensor | int):
                return getattr(state, "nbytes", 0)
            return sum(of(part) for part in state)

        return of(self.states)
