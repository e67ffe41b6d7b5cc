"""Other right answers to chapter 5."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises.chapter_05.sample_next import sample_next


def build_vocab_as_a_string(text):
    return "".join(sorted(dict.fromkeys(text)))


def build_vocab_in_numpy(text):
    return tuple(str(c) for c in np.unique(list(text)))


def encode_by_index(text, vocab):
    for c in text:
        if c not in vocab:
            raise ValueError(f"{c!r} is not in the vocabulary")
    return torch.tensor([list(vocab).index(c) for c in text])


def encode_in_numpy(text, vocab):
    try:
        number = dict(zip(vocab, range(len(vocab)), strict=True))
        return torch.from_numpy(np.array([number[c] for c in text], dtype=np.int64))
    except KeyError as error:
        raise ValueError(f"unknown character {error}") from error


def decode_by_list(ids, vocab):
    return "".join([vocab[int(i)] for i in ids])


def decode_by_map(ids, vocab):
    characters = list(vocab)
    return "".join(map(characters.__getitem__, ids.tolist()))


def batchify_by_loops(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    length = (n - 1) // batch_size
    x, y = [], []
    for k in range(length // steps):
        starts = [b * length + k * steps for b in range(batch_size)]
        x.append(torch.stack([ids[s : s + steps] for s in starts]))
        y.append(torch.stack([ids[s + 1 : s + steps + 1] for s in starts]))
    return torch.stack(x), torch.stack(y), ids[n:]


def batchify_in_numpy(ids, batch_size, steps, n_held_out):
    train, held_out = np.split(np.asarray(ids), [len(ids) - n_held_out])
    length = (len(train) - 1) // batch_size
    pairs = np.stack([train[:-1], train[1:]])[:, : batch_size * length]
    rows = pairs.reshape(2, batch_size, length)[:, :, : length // steps * steps]
    x, y = rows.reshape(2, batch_size, -1, steps).swapaxes(1, 2)
    return x, y, held_out


def batchify_by_unfold(ids, batch_size, steps, n_held_out):
    train = ids[: len(ids) - n_held_out]
    length = (len(train) - 1) // batch_size
    x = train[: batch_size * length].view(batch_size, length).unfold(1, steps, steps)
    y = train[1 : batch_size * length + 1].view(batch_size, length).unfold(1, steps, steps)
    return x.permute(1, 0, 2), y.permute(1, 0, 2), ids[len(ids) - n_held_out :]


def bits_per_char_by_sum(learn, train, held_out):
    surprise = np.log(1 / learn(train)(held_out)) / np.log(2)
    return sum(surprise) / len(held_out)


def bits_per_char_in_torch(learn, train, held_out):
    surprise = torch.as_tensor(learn(train)(held_out)).log().neg()
    return surprise.mean() / np.log(2)


class RNNTextGen_with_zeros(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.recurrent = nn.RNN(input_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        if h0 is None:
            h0 = x.new_zeros(1, x.shape[0], self.recurrent.hidden_size)
        states, h = self.recurrent(x.transpose(0, 1), h0)
        return self.out(states).transpose(0, 1), h


class RNNTextGen_step_by_step(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.cell = nn.RNNCell(input_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        h, logits = None if h0 is None else h0[0], []
        for x_t in x.unbind(dim=1):
            h = self.cell(x_t, h)
            logits.append(self.out(h))
        return torch.stack(logits, dim=1), h[None]


class CharLSTM_with_dropout(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.drop = nn.Dropout(0.1)
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.rnn = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.out = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.rnn(self.drop(self.embedding(ids)), state)
        return self.out(self.drop(out)), state


class CharLSTM_layer_by_layer(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        sizes = [embedding_size] + [hidden_size] * num_layers
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.layers = nn.ModuleList(
            nn.LSTM(sizes[k], sizes[k + 1], batch_first=True) for k in range(num_layers)
        )
        self.out = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        x, new = self.embedding(ids), []
        for k, layer in enumerate(self.layers):
            given = None if state is None else tuple(part[k : k + 1] for part in state)
            x, after = layer(x, given)
            new.append(after)
        return self.out(x), tuple(torch.cat(parts) for parts in zip(*new, strict=True))


def train_text_step_channels_first(model, x, y, state, optimizer, max_norm):
    model.zero_grad()
    logits, after = model(x, state)
    loss = F.cross_entropy(logits.transpose(1, 2), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(list(model.parameters()), max_norm)
    optimizer.step()
    pair = isinstance(after, tuple)
    return float(loss), tuple(p.detach() for p in after) if pair else after.detach()


def train_text_step_detached_on_the_way_in(model, x, y, state, optimizer, max_norm):
    if state is not None:
        one = isinstance(state, torch.Tensor)
        state = state.detach() if one else [part.detach() for part in state]
        state = state if one else tuple(state)
    logits, after = model(x, state)
    n = logits.shape[0] * logits.shape[1]
    loss = F.nll_loss(logits.log_softmax(-1).reshape(n, -1), y.reshape(n))
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    with torch.no_grad():
        after = after + 0 if isinstance(after, torch.Tensor) else tuple(p + 0 for p in after)
    return loss.detach().numpy(), after if isinstance(after, tuple) else after.detach()


def sample_next_by_gumbel(logits, temperature, top_k, rng):
    scores = logits / temperature
    if top_k:
        kept = scores.topk(top_k).indices
        mask = torch.full_like(scores, -torch.inf).scatter(1, kept, 0.0)
        scores = scores + mask
    noise = -torch.log(-torch.log(torch.rand(logits.shape, generator=rng).clamp(min=1e-12)))
    return (scores + noise).argmax(dim=1)


def sample_next_among_the_best(logits, temperature, top_k, rng):
    best = torch.topk(logits, top_k or logits.shape[-1], dim=-1)
    p = F.softmax(best.values / temperature, dim=-1)
    return best.indices.gather(1, torch.multinomial(p, 1, generator=rng)).squeeze(1)


def sample_next_row_by_row(logits, temperature, top_k, rng):
    p = torch.softmax(logits.double() / temperature, dim=1)
    if top_k is not None:
        p[p < p.sort(dim=1, descending=True).values[:, top_k - 1 : top_k]] = 0.0
        p = p / p.sum(dim=1, keepdim=True)
    return torch.cat([torch.multinomial(row, 1, generator=rng) for row in p])


@torch.no_grad()
def generate_into_a_tensor(model, prime, length, temperature, top_k, rng):
    new = prime.new_empty(len(prime), length)
    logits, state = model(prime)
    for t in range(length):
        new[:, t] = sample_next(logits[:, -1], temperature, top_k, rng)
        logits, state = model(new[:, t : t + 1], state)
    return new


def generate_character_by_character(model, prime, length, temperature, top_k, rng):
    state, written = None, []
    with torch.inference_mode():
        for column in prime.split(1, dim=1):
            logits, state = model(column, state)
        for _ in range(length):
            column = sample_next(logits[:, -1], temperature, top_k, rng).view(-1, 1)
            written.append(column)
            logits, state = model(column, state)
    return torch.cat(written, dim=1).numpy()


def mark_defects_in_another_order():
    return {"H": 6, "G": 1, "E": 3, "D": 7, "B": 2, "A": 5, "F": 0, "C": 0}


def mark_defects_by_zip():
    return dict(zip("ABCDEFGH", [5, 2, 0, 7, 3, 0, 1, 6], strict=True))
