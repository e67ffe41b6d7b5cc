"""Other right answers to chapter 5."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises.chapter_05 import learn_language
from helpers.exercises.chapter_05.sample_next import sample_next


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


def network_probabilities_in_steps(model, ids):
    model.train(False)
    logits, state = [], None
    with torch.inference_mode():
        for one in ids[:-1]:
            out, state = model(one.view(1, 1), state)
            logits.append(out[0, 0])
        V = model(ids[:1].view(1, 1))[0].shape[-1]
    said = [
        torch.nn.functional.softmax(row, dim=-1)[i] for row, i in zip(logits, ids[1:], strict=True)
    ]
    return [1 / V, *map(float, said)]


def network_probabilities_by_cross_entropy(model, ids):
    model.eval()
    with torch.no_grad():
        logits = model(ids[None])[0][0]
    surprise = F.cross_entropy(logits[:-1], ids[1:], reduction="none")
    return torch.cat([torch.full((1,), 1 / logits.shape[1]), torch.exp(-surprise)]).numpy()


def best_weights_by_rounds(p):
    w = np.full(len(p), 1 / len(p))
    for _ in range(3000):
        w = w * (p / (w @ p)).mean(axis=1)
    return w


def best_weights_by_newton(p):
    p = torch.as_tensor(p)

    def bits(z):
        return -(z.softmax(0) @ p).log().mean() + 1e-9 * z.square().sum()

    z = torch.zeros(len(p), dtype=p.dtype)
    for _ in range(25):
        gradient = torch.func.grad(bits)(z)
        curve = torch.func.hessian(bits)(z) + 1e-6 * torch.eye(len(z), dtype=p.dtype)
        z = z - torch.linalg.lstsq(curve, gradient[:, None]).solution[:, 0].clamp(-1, 1)
    return z.softmax(0)


def nucleus_by_sorting(p, top_p):
    ranked, places = torch.sort(p, dim=1, descending=True)
    before = torch.cumsum(ranked, dim=1) - ranked
    ranked[before >= top_p] = 0
    kept = torch.zeros_like(p).scatter_(1, places, ranked)
    return kept / kept.sum(dim=1, keepdim=True)


def nucleus_in_numpy(p, top_p):
    rows = []
    for row in p.numpy():
        order = np.argsort(-row)
        enough = np.searchsorted(np.cumsum(row[order]), top_p) + 1
        kept = np.zeros_like(row)
        kept[order[:enough]] = row[order[:enough]]
        rows.append(kept / kept.sum())
    return np.stack(rows)


def longest_copy_by_growing(sample, text):
    longest = 0
    for i in range(len(sample)):
        while i + longest < len(sample) and sample[i : i + longest + 1] in text:
            longest += 1
    return longest


def longest_copy_by_bisection(sample, text):
    low, high = 0, len(sample)
    while low < high:
        n = (low + high + 1) // 2
        known = {text[i : i + n] for i in range(len(text) - n + 1)}
        if any(sample[i : i + n] in known for i in range(len(sample) - n + 1)):
            low = n
        else:
            high = n - 1
    return low


def ablate_unit_in_the_weights(lstm, fc, unit, value):
    E, H, V = lstm.input_size, lstm.hidden_size, fc.out_features
    new, head = nn.LSTM(E, H, batch_first=True), nn.Linear(H, V)
    new.load_state_dict(lstm.state_dict())
    head.load_state_dict(fc.state_dict())
    with torch.no_grad():
        for weight, bias in ((new.weight_hh_l0, new.bias_ih_l0), (head.weight, head.bias)):
            bias.add_(weight[:, unit], alpha=value)
            weight[:, unit] = 0
    return new, head


def ablate_unit_with_cells(lstm, fc, unit, value):
    cell = nn.LSTMCell(lstm.input_size, lstm.hidden_size)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cell.load_state_dict({name: getattr(lstm, name + "_l0").detach() for name in names})

    def run(x, state=None):
        h, c = (torch.zeros(len(x), lstm.hidden_size),) * 2 if state is None else state
        out = []
        for x_t in x.unbind(dim=1):
            keep = torch.ones_like(h)
            keep[:, unit] = 0
            h, c = cell(x_t, (h * keep + (1 - keep) * value, c))
            h = h * keep + (1 - keep) * value
            out.append(h)
        return torch.stack(out, dim=1), (h, c)

    return run, fc


def learn_language_by_its_words(text):
    return learn_language.learn_language(text)


def learn_language_as_tensors(text):
    predict = learn_language.learn_language(text)
    return lambda beginnings: torch.from_numpy(predict(beginnings)).float()
