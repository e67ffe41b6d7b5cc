"""Chapter 5's models of text: networks, counting, their mixture and compressors, on one split.

    python tests/benchmarks text_models                 Python's documentation and source code
    python -m tests.benchmarks.text_models notes.txt    a text of yours
    python -m tests.benchmarks.text_models --page       a page that a longer training writes

Each network reads CHARACTERS characters, three seeds, on one thread; the last tenth of the text is
held out. Bits per character, mean ± sd; "sample" is a standard error by the held-out text, from
pieces of 1000 characters: of counting's bits, and of what a network has less, which scatters less,
since a hard piece is hard for both. Promised on the two texts: both networks below Kneser-Ney of
its best order, half network and half counting below both, and by chunks each network reads at least
30 times the characters per second that it reads in a loop over characters. The two take turns. The
best order is the best on the held-out text itself, which flatters counting; of that order it stands
there once more, learning on as a compressor does. Before the two texts comes the grammar of section
5.5.3, eight seeds: which of its networks learn that the verb agrees with the first noun.
"""

import bz2
import lzma
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import texts
from helpers.exercises.chapter_01.carry_state import carry_state
from helpers.exercises.chapter_05.char_lstm import CharLSTM
from helpers.exercises.chapter_05.encode import encode
from helpers.exercises.chapter_05.generate import generate
from helpers.exercises.chapter_05.longest_copy import longest_copy
from helpers.exercises.chapter_05.network_probabilities import network_probabilities
from helpers.exercises.chapter_05.rnn_text_gen import RNNTextGen
from helpers.grammars import ANIMALS
from helpers.hashed import NGramLSTM
from helpers.ngrams import KneserNey, learning_on
from tests.benchmarks.machine import table

PARTS = 12  # of the held-out text, each counted once it is read, where counting learns on
CHARACTERS, SEEDS, STEPS, UNITS, DROPOUT = 3_000_000, range(3), 64, 256, 0.3
LOOPED = 100 * STEPS  # characters that a loop reads before each training
ORDERS = range(2, 17, 2)
TRAININGS = range(8)  # of each network on the grammar


class WithDropout(nn.Module):
    """The LSTM of section 5.4 with a dropout before its linear layer."""

    def __init__(self, vocab_size: int, units: int, dropout: float):
        super().__init__()
        self.model, self.drop = CharLSTM(vocab_size, 64, units, num_layers=1), nn.Dropout(dropout)

    def forward(self, ids, state=None):
        states, state = self.model.lstm(self.model.embedding(ids), state)
        return self.model.fc(self.drop(states)), state


class OneHot(nn.Module):
    """The shell of section 5.5.3 around a model of one-hot rows."""

    def __init__(self, model: nn.Module, vocab_size: int):
        super().__init__()
        self.model, self.vocab_size = model, vocab_size

    def forward(self, ids, state=None):
        return self.model(F.one_hot(ids, self.vocab_size).float(), state)


def by_the_loop(model, train, characters):
    """Train one character per call, an update every STEPS; return characters per second."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    started, state = time.process_time(), None
    for read in range(0, characters, STEPS):
        loss = 0.0
        for t in range(read, read + STEPS):
            logits, state = model(train[t].view(1, 1), state)
            loss = loss + F.cross_entropy(logits[0], train[t + 1 : t + 2])
        optimizer.zero_grad()
        (loss / STEPS).backward()
        optimizer.step()
        state = carry_state(state)
    return characters / (time.process_time() - started)


def by_chunks(model, train, characters, *, batch_size=16, lr=0.012):
    """Train by the recipe of section 5.5; return characters per second."""
    for name, weight in model.named_parameters():
        if "weight_hh" in name:
            for gate in weight.data.split(weight.shape[1]):
                nn.init.orthogonal_(gate)
    updates = characters // (batch_size * STEPS)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr, betas=(0.9, 0.99), weight_decay=0.1, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=updates, pct_start=0.1, cycle_momentum=False
    )
    length = (len(train) - 1) // batch_size
    x = train[: batch_size * length].view(batch_size, length)
    y = train[1 : batch_size * length + 1].view(batch_size, length)
    started, state, chunks = time.process_time(), None, length // STEPS
    for k in range(updates):
        chunk = slice(k % chunks * STEPS, k % chunks * STEPS + STEPS)
        logits, state = model(x[:, chunk], state if k % chunks else None)
        loss = F.cross_entropy(logits.flatten(0, 1), y[:, chunk].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = carry_state(state)
        schedule.step()
    return updates * batch_size * STEPS / (time.process_time() - started)


def bits(p):
    return float(-np.log2(p).mean())


def standard_error(surprise, piece=1000):
    """Return that of the mean of bits (N,), from pieces of the text: neighbours are alike."""
    pieces = surprise[: len(surprise) // piece * piece].reshape(-1, piece).mean(axis=1)
    return float(pieces.std(ddof=1)) / len(pieces) ** 0.5


def networks(title, train, held_out, vocab_size, counted):
    """Print a row per network, and below it one for its mean with counting.

    counted: the probabilities that counting gives to the held-out characters
    """
    kinds = {
        f"LSTM, {UNITS} units": lambda: WithDropout(vocab_size, UNITS, DROPOUT),
        "the same with groups": lambda: NGramLSTM(vocab_size, 64, UNITS, dropout=DROPOUT),
    }
    columns = "network | bits ± sd:.3f | below counting:.3f | sample:.3f"
    columns += " | characters | CPU s | characters/s | in a loop | × the loop:.1f"
    with table(title, columns) as row:
        for name, make in kinds.items():
            scores, mixed, speeds, loops = [], [], [], []
            for seed in SEEDS:
                torch.manual_seed(seed)
                loops.append(by_the_loop(make(), train, LOOPED))
                torch.manual_seed(seed)
                model = make()
                speeds.append(by_chunks(model, train, CHARACTERS))
                p = network_probabilities(model, held_out)
                scores.append(bits(p))
                mixed.append(bits((p + counted) / 2))
            speed, loop = float(np.mean(speeds)), float(np.mean(loops))
            seconds = [CHARACTERS / each for each in speeds]
            less = np.log2(p / counted)
            work = CHARACTERS, seconds, speed, loop, speed / loop
            row(name, scores, bits(counted) - np.mean(scores), standard_error(less), *work)
            less = np.log2((p / counted + 1) / 2)
            row("  half of it, half counting", mixed, less.mean(), standard_error(less))


def agreement(updates=1000):
    """Print which trainings learn that the verb agrees with the first noun, not with the last."""
    vocab, V = ANIMALS.vocab, len(ANIMALS.vocab)
    train, held_out = (encode(ANIMALS.text(n, seed=s), vocab) for n, s in ((8000, 0), (2000, 1)))
    nouns = [word for _, (word,) in ANIMALS.rules["NOUN"]]
    phrase = {n: [f"the {a}s" + n * f" near the {b}" for a in nouns for b in nouns] for n in (1, 5)}
    kinds = {
        "plain network": lambda: OneHot(RNNTextGen(V, 64, V), V),
        "LSTM of two layers": lambda: CharLSTM(V, 16, 64),
    }
    columns = "network | times the limit ± sd:.3f | learned, 1 phrase | learned, 5 phrases | CPU s"
    with table(f"The grammar: {len(TRAININGS)} trainings of {updates} updates", columns) as row:
        for name, make in kinds.items():
            started, limits, learned = time.process_time(), [], dict.fromkeys(phrase, 0)
            for seed in TRAININGS:
                torch.manual_seed(seed)
                model = make()
                by_chunks(model, train, updates * 16 * STEPS, lr=0.008)
                limits.append(bits(network_probabilities(model, held_out)) / ANIMALS.entropy())
                for n, beginnings in phrase.items():
                    texts_asked = (f"the bird sings.\n{one} sings" for one in beginnings)
                    p = [network_probabilities(model, encode(t, vocab))[-1] for t in texts_asked]
                    learned[n] += np.mean(p) < 0.1  # of the wrong ending
            row(name, limits, *learned.values(), time.process_time() - started)


def counting(title, text, n_held_out, vocab):
    """Print the bits of counting and of compressors; return the best counting's probabilities."""
    train, held_out = text[:-n_held_out], text[-n_held_out:]
    said = {}
    with table(title, "model | bits:.3f | sample:.3f | CPU s:.1f") as row:
        for order in ORDERS:
            started = time.process_time()
            said[order] = KneserNey(train, order, vocab).probabilities(held_out)
            took = time.process_time() - started
            row(
                f"Kneser-Ney, order {order}",
                bits(said[order]),
                standard_error(-np.log2(said[order])),
                took,
            )
        best = min(said, key=lambda order: bits(said[order]))
        started = time.process_time()
        later = learning_on(lambda text: KneserNey(text, best, vocab), train, held_out, PARTS)
        name = f"  order {best}, learning on in {PARTS} parts"
        row(name, bits(later), standard_error(-np.log2(later)), time.process_time() - started)
        for name, compress in (("bz2", bz2.compress), ("lzma", lzma.compress)):
            started = time.process_time()
            more = len(compress(text.encode())) - len(compress(train.encode()))
            row(name, 8 * more / n_held_out, "", time.process_time() - started)
    return said[best]


def measure(name, text):
    """Print the tables for one text."""
    vocab, n_held_out = sorted(set(text)), len(text) // 10
    size = f"{len(text)} characters, {len(vocab)} different, {n_held_out} held out"
    counted = counting(f"{name}: {size}", text, n_held_out, vocab)
    ids = encode(text, vocab)
    title = f"{name}: means of {len(SEEDS)} runs"
    networks(title, ids[:-n_held_out], ids[-n_held_out:], len(vocab), counted)


def page(units=384, characters=3 * CHARACTERS, length=1500):
    """Print a page that a larger network writes on the documentation, and what it cost."""
    text = texts.python_docs()
    vocab, n_held_out = sorted(set(text)), len(text) // 10
    ids = encode(text, vocab)
    torch.manual_seed(0)
    model = NGramLSTM(len(vocab), 64, units, dropout=0.4)
    started = time.process_time()
    by_chunks(model, ids[:-n_held_out], characters, batch_size=32, lr=0.006)
    with table("A longer training", "network | bits:.3f | characters | CPU s") as row:
        held_out = bits(network_probabilities(model, ids[-n_held_out:]))
        name = f"LSTM with groups, {units} units"
        row(name, held_out, characters, time.process_time() - started)
    rng = torch.Generator().manual_seed(0)
    prime = encode("The statement ", vocab)[None]
    written = "".join(vocab[i] for i in generate(model, prime, length, 0.7, None, rng)[0])
    print("The statement " + written)
    print(f"longest copy: {longest_copy(written, text[:-n_held_out])} characters")


def main(path=None):
    torch.set_num_threads(1)
    if path == "--page":
        page()
    elif path:
        measure(path, texts.load_text(path, at_least=20_000))
    else:
        agreement()
        measure("Python's documentation", texts.python_docs())
        measure("Python's source code", texts.python_source())


if __name__ == "__main__":
    main(*sys.argv[1:2])
