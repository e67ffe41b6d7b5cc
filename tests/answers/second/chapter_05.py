"""More answers to the exercises of chapter 5, written when the first had been used for mends."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.answers import right, wrong

# --- build_vocab ---------------------------------------------------------------------------------


# --- encode --------------------------------------------------------------------------------------


@wrong("encode", "characters that are not in vocab are left out")
def encode(text, vocab):
    char_to_idx = {ch: i for i, ch in enumerate(vocab)}
    return torch.tensor([char_to_idx[c] for c in text if c in char_to_idx], dtype=torch.long)


@wrong("encode", "a character that is not in vocab becomes number 0")
def encode(text, vocab):
    stoi = {ch: i for i, ch in enumerate(vocab)}
    return torch.tensor([stoi.get(c, 0) for c in text], dtype=torch.long)


@wrong("encode", "a character that is not in vocab is a KeyError, not a ValueError")
def encode(text, vocab):
    stoi = {ch: i for i, ch in enumerate(vocab)}
    return torch.tensor([stoi[c] for c in text], dtype=torch.long)


@wrong("encode", "numbers are places in the sorted vocab, not in vocab as it is given")
def encode(text, vocab):
    stoi = {c: i for i, c in enumerate(sorted(vocab))}
    ids = []
    for c in text:
        if c not in stoi:
            raise ValueError(f"{c!r} is not in the vocabulary")
        ids.append(stoi[c])
    return torch.tensor(ids, dtype=torch.long)


@wrong("encode", "the error tells the position in the text, and not the character")
def encode(text, vocab):
    lookup = {c: i for i, c in enumerate(vocab)}
    ids = torch.empty(len(text), dtype=torch.long)
    for position, c in enumerate(text):
        if c not in lookup:
            raise ValueError(f"unknown character at position {position}")
        ids[position] = lookup[c]
    return ids


@wrong("encode", "the numbers are float32, not long", "the error does not name the character")
def encode(text, vocab):
    lookup = {c: i for i, c in enumerate(vocab)}
    ids = torch.zeros(len(text))
    for k, c in enumerate(text):
        try:
            ids[k] = lookup[c]
        except KeyError:
            raise ValueError("text has a character that is not in vocab") from None
    return ids


@right("encode", "a table over all code points of Unicode, looked up by one indexing")
def encode(text, vocab):
    table = torch.full((0x110000,), -1)
    table[torch.tensor([ord(c) for c in vocab], dtype=torch.long)] = torch.arange(len(vocab))
    ids = table[torch.tensor([ord(c) for c in text], dtype=torch.long)]
    if (missing := (ids < 0).nonzero()).numel():
        raise ValueError(f"{text[int(missing[0, 0])]!r} has no number in this vocabulary.")
    return ids


# --- decode --------------------------------------------------------------------------------------


# --- batchify ------------------------------------------------------------------------------------


@wrong("batchify", "with n_held_out = 0 the slice [:-0] leaves nothing to train on")
def batchify(ids, batch_size, steps, n_held_out):
    train, held_out = ids[:-n_held_out], ids[-n_held_out:]
    L = (len(train) - 1) // batch_size
    chunks = L // steps
    x = train[: batch_size * L].reshape(batch_size, L)[:, : chunks * steps]
    y = train[1 : batch_size * L + 1].reshape(batch_size, L)[:, : chunks * steps]
    x = x.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = y.reshape(batch_size, chunks, steps).transpose(0, 1)
    return x, y, held_out


@wrong("batchify", "reshaped to (chunks, B, T) without a transpose: rows are cut across")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    train, held_out = ids[:n], ids[n:]
    L = (n - 1) // batch_size
    chunks = L // steps
    x = train[: batch_size * L].reshape(batch_size, L)[:, : chunks * steps]
    y = train[1 : batch_size * L + 1].reshape(batch_size, L)[:, : chunks * steps]
    x = x.reshape(chunks, batch_size, steps)
    y = y.reshape(chunks, batch_size, steps)
    return x, y, held_out


@wrong("batchify", "row b begins at b chunks T and not at b L: the rest is dropped at the end")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    train, held_out = ids[:n], ids[n:]
    chunks = (n - 1) // (batch_size * steps)
    used = chunks * batch_size * steps
    x = train[:used].view(batch_size, chunks, steps).transpose(0, 1)
    y = train[1 : used + 1].view(batch_size, chunks, steps).transpose(0, 1)
    return x, y, held_out


@wrong("batchify", "L = n // B, and the last target is taken from the held-out characters")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    L = n // batch_size
    chunks = L // steps
    x_rows = ids[: batch_size * L].reshape(batch_size, L)[:, : chunks * steps]
    y_rows = ids[1 : batch_size * L + 1].reshape(batch_size, L)[:, : chunks * steps]
    x = torch.stack(x_rows.split(steps, dim=1))
    y = torch.stack(y_rows.split(steps, dim=1))
    return x, y, ids[n:]


@wrong("batchify", "the target at the end of a full row is the row's own first character (roll)")
def batchify(ids, batch_size, steps, n_held_out):
    cut = len(ids) - n_held_out
    L = (cut - 1) // batch_size
    chunks = L // steps
    rows = ids[: batch_size * L].reshape(batch_size, L)
    nexts = torch.roll(rows, shifts=-1, dims=1)

    def to_chunks(a):
        return a[:, : chunks * steps].reshape(batch_size, chunks, steps).permute(1, 0, 2)

    return to_chunks(rows), to_chunks(nexts), ids[cut:]


@wrong(
    "batchify",
    "the last target of each chunk is the chunk's first character",
    "with n_held_out = 0 all of the text is returned as held out",
)
def batchify(ids, batch_size, steps, n_held_out):
    train = ids[: len(ids) - n_held_out]
    held_out = ids[-n_held_out:]
    L = (len(train) - 1) // batch_size
    chunks = L // steps
    rows = train[: batch_size * L].reshape(batch_size, L)[:, : chunks * steps]
    x = rows.reshape(batch_size, chunks, steps).transpose(0, 1)
    y = torch.cat([x[:, :, 1:], x[:, :, :1]], dim=2)
    return x, y, held_out


@right("batchify", "strides written by hand: chunks are T apart, rows L, targets one further on")
def batchify(ids, batch_size, steps, n_held_out):
    n = len(ids) - n_held_out
    L = (n - 1) // batch_size
    stride = ids.stride(0)

    def window(shift):
        return ids.as_strided(
            size=(L // steps, batch_size, steps),
            stride=(steps * stride, L * stride, stride),
            storage_offset=ids.storage_offset() + shift * stride,
        ).clone()

    return window(0), window(1), ids[n:]


# --- bits_per_char -------------------------------------------------------------------------------


@wrong("bits_per_char", "the natural logarithm: nats, not bits")
def bits_per_char(learn, train, held_out):
    probabilities = learn(train)
    p = probabilities(held_out)
    return -np.mean(np.log(p))


@wrong("bits_per_char", "the logarithm of the product, which is 0 for a long text")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return -np.log2(np.prod(p)) / len(held_out)


@wrong("bits_per_char", "the mean comes before the logarithm")
def bits_per_char(learn, train, held_out):
    model = learn(train)
    return float(-np.log2(model(held_out).mean()))


@wrong("bits_per_char", "each surprise is weighted with its probability, as in an entropy")
def bits_per_char(learn, train, held_out):
    p = learn(train)(held_out)
    return -(p * np.log2(p)).sum() / len(p)


@wrong("bits_per_char", "it learns from the held-out text as well")
def bits_per_char(learn, train, held_out):
    probabilities = learn(train + held_out)
    return float(-np.log2(probabilities(held_out)).mean())


@wrong("bits_per_char", "the first character is not counted")
def bits_per_char(learn, train, held_out):
    probs = learn(train)(held_out)
    total = 0.0
    for t in range(1, len(held_out)):
        total -= np.log2(probs[t])
    return total / (len(held_out) - 1)


@right("bits_per_char", "exponents of the floating-point numbers, and logarithms of the mantissas")
def bits_per_char(learn, train, held_out):
    p = np.asarray(learn(train)(held_out), dtype=np.float64)
    mantissa, exponent = np.frexp(p)
    return float((-exponent - np.log2(mantissa)).sum() / p.size)


# --- RNNTextGen ----------------------------------------------------------------------------------


@wrong("RNNTextGen", "batch_first is missing: rows are taken for steps")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, hn = self.rnn(x, h0)
        return self.fc(out), hn


@wrong("RNNTextGen", "the logits are flattened to (B T, V)")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, hidden = self.rnn(x, h0)
        out = out.contiguous().view(-1, self.hidden_size)
        return self.fc(out), hidden


@wrong("RNNTextGen", "the given state is never used: every call starts from zeros")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        h0 = torch.zeros(1, x.size(0), self.hidden_size, device=x.device, dtype=x.dtype)
        out, hn = self.rnn(x, h0)
        return self.fc(out), hn


@wrong("RNNTextGen", "probabilities are returned, after a softmax, and not logits")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x, h0=None):
        out, hn = self.rnn(x, h0)
        return self.softmax(self.fc(out)), hn


@wrong("RNNTextGen", "without a state it goes on from where the last call ended")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        self.h = None

    def forward(self, x, h0=None):
        if h0 is None and self.h is not None and self.h.shape[1] == x.shape[0]:
            h0 = self.h
        out, h = self.rnn(x, h0)
        self.h = h.detach()
        return self.fc(out), h


@wrong(
    "RNNTextGen",
    "a ReLU stands between the states and the linear layer",
    "the state is (B, H), without the axis of layers",
)
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x, h0=None):
        out, _ = self.rnn(x, h0)
        logits = self.fc(F.relu(out))
        return logits, out[:, -1]


@right("RNNTextGen", "time first inside, one call per step, the linear layer made first")
class RNNTextGen(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        read_out = nn.Linear(out_features=output_size, in_features=hidden_size)
        cell = nn.RNN(hidden_size=hidden_size, input_size=input_size)
        self.parts = nn.ModuleDict({"read out": read_out, "recurrence": cell})

    def forward(self, x, h0=None):
        h, logits = h0, []
        for column in x.unbind(dim=1):
            _, h = self.parts["recurrence"](column[None], h)
            logits.append(self.parts["read out"](h[0]))
        return torch.stack(logits, dim=1), h


# --- CharLSTM ------------------------------------------------------------------------------------


@wrong("CharLSTM", "there are always two layers, whatever num_layers says")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers=2, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out), state


@wrong("CharLSTM", "batch_first is missing: rows are taken for steps")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers)
        self.linear = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        embedded = self.embed(ids)
        output, state = self.lstm(embedded, state)
        return self.linear(output), state


@wrong("CharLSTM", "without a state it starts from random numbers")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.hidden_size, self.num_layers = hidden_size, num_layers
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def init_hidden(self, batch_size):
        like = self.fc.weight
        shape = (self.num_layers, batch_size, self.hidden_size)
        return (
            torch.randn(shape, dtype=like.dtype, device=like.device),
            torch.randn(shape, dtype=like.dtype, device=like.device),
        )

    def forward(self, ids, state=None):
        if state is None:
            state = self.init_hidden(ids.size(0))
        out, state = self.lstm(self.embedding(ids), state)
        return self.fc(out), state


@wrong("CharLSTM", "embedding_size is not used: the embedding has hidden_size numbers")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.encoder = nn.Embedding(vocab_size, hidden_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size, num_layers, batch_first=True)
        self.decoder = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        x = self.encoder(ids)
        x, state = self.lstm(x, state)
        return self.decoder(x), state


@wrong("CharLSTM", "the LSTM runs in both directions and sees the characters to come")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(
            embedding_size, hidden_size, num_layers, batch_first=True, bidirectional=True
        )
        self.fc = nn.Linear(2 * hidden_size, vocab_size)

    def forward(self, ids, state=None):
        emb = self.embedding(ids)
        out, state = self.lstm(emb, state)
        return self.fc(out), state


@wrong(
    "CharLSTM",
    "logits (B, V) of the last step only",
    "the state comes back as h alone, without c",
)
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)

    def forward(self, ids, state=None):
        out, (h, c) = self.lstm(self.embedding(ids), state)
        return self.fc(out[:, -1, :]), h


@right("CharLSTM", "a list of LSTMs of one layer each, their states put together at the end")
class CharLSTM(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        sizes = [embedding_size] + [hidden_size] * num_layers
        self.layers = nn.ModuleList(
            nn.LSTM(below, above, batch_first=True) for below, above in zip(sizes, sizes[1:])
        )
        self.head = nn.Linear(hidden_size, vocab_size)
        self.table = nn.Embedding(vocab_size, embedding_size)

    def forward(self, ids, state=None):
        signal, ends = self.table(ids), []
        for k, layer in enumerate(self.layers):
            own = None if state is None else tuple(part[k : k + 1].contiguous() for part in state)
            signal, end = layer(signal, own)
            ends.append(end)
        return self.head(signal), tuple(torch.cat(parts) for parts in zip(*ends))


# --- train_text_step -----------------------------------------------------------------------------


def _carried(state):
    """Return a tensor, or a tuple of them, detached."""
    if isinstance(state, torch.Tensor):
        return state.detach()
    return tuple(_carried(part) for part in state)


@wrong("train_text_step", "logits are reshaped to (B, V, T), not transposed, so they are mixed up")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    B, T, V = logits.shape
    loss = F.cross_entropy(logits.reshape(B, V, T), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _carried(state)


@wrong("train_text_step", "the gradients are clipped before backward, so not at all")
def train_text_step(model, x, y, state, optimizer, max_norm):
    optimizer.zero_grad()
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    loss.backward()
    optimizer.step()
    return loss.item(), _carried(state)


@wrong("train_text_step", "zero_grad is missing: gradients add up from call to call")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, new_state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), _carried(new_state)


@wrong("train_text_step", "the state of a plain RNN, a tensor, comes back as a tuple of its layers")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    state = tuple(s.detach() for s in state)
    return loss.item(), state


@wrong("train_text_step", "the norm is clipped to 1, whatever max_norm says")
def train_text_step(model, x, y, state, optimizer, max_norm):
    model.train()
    optimizer.zero_grad()
    logits, state = model(x, state)
    loss = nn.CrossEntropyLoss()(logits.view(-1, logits.size(-1)), y.reshape(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    if isinstance(state, tuple):
        state = tuple(s.detach() for s in state)
    else:
        state = state.detach()
    return loss.item(), state


@wrong(
    "train_text_step",
    "a softmax before cross_entropy, which has one of its own",
    "the state keeps its graph",
)
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    probs = torch.softmax(logits, dim=-1)
    loss = F.cross_entropy(probs.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), state


@right("train_text_step", "autograd.grad instead of backward, gradients scaled by hand and put in")
def train_text_step(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = -logits.log_softmax(dim=-1).gather(-1, y.unsqueeze(-1)).mean()
    weights = [w for w in model.parameters() if w.requires_grad]
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    norm = sum(float(g.double().square().sum()) for g in gradients if g is not None) ** 0.5
    shrink = max_norm / norm if norm > max_norm else 1.0
    for w, g in zip(weights, gradients):
        w.grad = None if g is None else g * shrink
    optimizer.step()

    def cut(part):
        return part.detach() if torch.is_tensor(part) else type(part)(map(cut, part))

    return loss.item(), cut(state)


# --- sample_next ---------------------------------------------------------------------------------


@wrong("sample_next", "probabilities are divided by the temperature, which then does nothing")
def sample_next(logits, temperature, top_k, rng):
    if top_k is not None:
        smallest = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    p = torch.softmax(logits, dim=1) / temperature
    return p.multinomial(1, generator=rng).squeeze(1)


@wrong("sample_next", "with top_k it returns places among the k likeliest, not characters' numbers")
def sample_next(logits, temperature, top_k, rng):
    logits = logits / temperature
    if top_k is not None:
        logits, indices = torch.topk(logits, top_k, dim=-1)
    probs = F.softmax(logits, dim=-1)
    return torch.multinomial(probs, num_samples=1, generator=rng)[:, 0]


@wrong("sample_next", "logits outside the top k are set to 0 and not to minus infinity")
def sample_next(logits, temperature, top_k, rng):
    scaled = logits / temperature
    if top_k is not None:
        smallest = scaled.topk(top_k, dim=1).values[:, -1:]
        scaled = torch.where(scaled < smallest, torch.zeros_like(scaled), scaled)
    p = scaled.softmax(dim=1)
    return p.multinomial(1, generator=rng)[:, 0]


@wrong("sample_next", "rng is not used: the global generator draws")
def sample_next(logits, temperature, top_k, rng):
    logits = logits / temperature
    if top_k is not None:
        smallest = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    return torch.distributions.Categorical(logits=logits).sample()


@wrong("sample_next", "for a single text the result is a scalar: squeeze without an axis")
def sample_next(logits, temperature, top_k, rng):
    logits = logits / temperature
    if top_k is not None:
        smallest = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    return logits.softmax(dim=1).multinomial(1, generator=rng).squeeze()


@wrong(
    "sample_next",
    "the logits are multiplied by the temperature",
    "the result is a column (B, 1)",
)
def sample_next(logits, temperature, top_k, rng):
    logits = logits * temperature
    if top_k is not None:
        kth = torch.topk(logits, top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < kth, float("-inf"))
    p = F.softmax(logits, dim=1)
    return torch.multinomial(p, 1, generator=rng)


@right("sample_next", "a race: the largest of logit over temperature minus log of an exponential")
def sample_next(logits, temperature, top_k, rng):
    k = logits.shape[1] if top_k is None else top_k
    values, numbers = logits.double().topk(k, dim=1)
    waiting = torch.empty_like(values).exponential_(generator=rng)
    first = (values / temperature - waiting.log()).argmax(dim=1, keepdim=True)
    return numbers.gather(1, first).flatten()


# --- generate ------------------------------------------------------------------------------------


def _draw(logits, temperature, top_k, rng):
    """Return numbers (B,), as `sample_next` of the hint does."""
    logits = logits / temperature
    if top_k is not None:
        smallest = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    return logits.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


@wrong("generate", "only the last character of the beginning is fed")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    x, state, written = prime[:, -1:], None, []
    for _ in range(length):
        logits, state = model(x, state)
        x = _draw(logits[:, -1], temperature, top_k, rng).unsqueeze(1)
        written.append(x)
    return torch.cat(written, dim=1)


@wrong("generate", "the last character of the beginning is fed twice")
def generate(model, prime, length, temperature, top_k, rng):
    new = torch.zeros(prime.shape[0], length, dtype=torch.long)
    with torch.no_grad():
        _, state = model(prime, None)  # warm up
        x = prime[:, -1:]
        for t in range(length):
            logits, state = model(x, state)
            new[:, t] = _draw(logits[:, -1], temperature, top_k, rng)
            x = new[:, t : t + 1]
    return new


@wrong("generate", "all of the text is fed again at every step, on top of the carried state")
@torch.no_grad()
def generate(model, prime, length, temperature, top_k, rng):
    ids, state = prime, None
    for _ in range(length):
        logits, state = model(ids, state)
        nxt = _draw(logits[:, -1, :], temperature, top_k, rng)
        ids = torch.cat([ids, nxt[:, None]], dim=1)
    return ids[:, prime.shape[1] :]


@wrong("generate", "the state is not carried: after the beginning each step starts from none")
def generate(model, prime, length, temperature, top_k, rng):
    new = []
    with torch.no_grad():
        fed = prime
        for _ in range(length):
            logits, _ = model(fed)
            fed = _draw(logits[:, -1], temperature, top_k, rng)[:, None]
            new.append(fed)
    return torch.cat(new, dim=1)


@wrong("generate", "the first character drawn is fed but not returned")
def generate(model, prime, length, temperature, top_k, rng):
    result = []
    with torch.no_grad():
        logits, state = model(prime)
        nxt = _draw(logits[:, -1], temperature, top_k, rng)
        for _ in range(length):
            logits, state = model(nxt[:, None], state)
            nxt = _draw(logits[:, -1], temperature, top_k, rng)
            result.append(nxt)
    return torch.stack(result, dim=1)


@wrong("generate", "the beginning is returned, too", "the gradients are not switched off")
def generate(model, prime, length, temperature, top_k, rng):
    generated, fed, state = prime, prime, None
    for _ in range(length):
        logits, state = model(fed, state)
        fed = _draw(logits[:, -1], temperature, top_k, rng)[:, None]
        generated = torch.cat((generated, fed), dim=1)
    return generated


@right("generate", "one iterator feeds the beginning and what was drawn, a character a call")
def generate(model, prime, length, temperature, top_k, rng):
    result = prime.new_empty((prime.shape[0], length))

    def columns():
        yield from prime.split(1, dim=1)
        yield from result.split(1, dim=1)  # views, filled in before they are reached

    with torch.no_grad():
        state, last = None, prime.shape[1] - 1
        for k, column in zip(range(last + length), columns()):
            logits, state = model(column, state)
            if k >= last:
                result[:, k - last] = _draw(logits[:, 0], temperature, top_k, rng)
    return result


# --- mark_defects --------------------------------------------------------------------------------


@wrong("mark_defects", "F gets a softmax before cross_entropy")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 4, "G": 1, "H": 6}


@wrong("mark_defects", "A is to get one-hot rows, which it has")
def mark_defects():
    return {"A": 2, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "D counts as right")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 0, "E": 3, "F": 0, "G": 1, "H": 6}


@wrong("mark_defects", "H counts as right")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 0}


@wrong("mark_defects", "the lines that are right are left out")
def mark_defects():
    return {"A": 5, "B": 2, "D": 7, "E": 3, "G": 1, "H": 6}


@wrong("mark_defects", "E is to get one-hot rows", "G counts as right")
def mark_defects():
    return {"A": 5, "B": 2, "C": 0, "D": 7, "E": 2, "F": 0, "G": 0, "H": 6}


@right("mark_defects", "digits of one string, zipped with the letters")
def mark_defects():
    return dict(zip("ABCDEFGH", map(int, "52073016")))
