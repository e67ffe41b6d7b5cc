"""Chapter 5's models of text: the popular loop, the course's model, and counting, on one split.

    python tests/benchmarks text_models               Python's documentation and source code
    python -m tests.benchmarks.text_models notes.txt  a text of yours

Each network learns for 60 s of CPU time on one thread, three seeds; the last tenth of the text is
held out. Bits per character, mean ± sd. Promised on the two texts of the course: the network by
chunks below every n-gram of order 1 to 8, and at least 30 times the characters per second of the
loop. On any text: half network and half counting, as in section 5.5, below every n-gram. A network
alone needs more than a minute for a text much longer than these.
"""

import math
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import texts
from helpers.exercises.chapter_01.carry_state import carry_state
from helpers.exercises.chapter_05.build_vocab import build_vocab
from helpers.exercises.chapter_05.char_lstm import CharLSTM
from helpers.exercises.chapter_05.encode import encode
from helpers.ngrams import KneserNey, WittenBell
from tests.benchmarks.machine import table

SECONDS, SEEDS, STEPS = 60, range(3), 64


def by_the_loop(model, train, seconds):
    """Train one character per call, batch 1, an update every 64 characters.

    Return the number of characters and the CPU seconds.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    started, read, state = time.process_time(), 0, None
    while time.process_time() - started < seconds:
        loss = 0.0
        for t in range(read, read + STEPS):
            place = t % (len(train) - 1)
            logits, state = model(train[place].view(1, 1), state)
            loss = loss + F.cross_entropy(logits[0], train[place + 1 : place + 2])
        optimizer.zero_grad()
        (loss / STEPS).backward()
        optimizer.step()
        state, read = carry_state(state), read + STEPS
    return read, time.process_time() - started


def by_chunks(model, train, seconds, batch_size=16, lr=0.016):
    """Train by the recipe of section 5.5, its rate set by the time.

    Return the number of characters and the CPU seconds.
    """
    for name, weight in model.named_parameters():
        if "weight_hh" in name:
            for gate in weight.data.split(weight.shape[1]):
                nn.init.orthogonal_(gate)
    optimizer = torch.optim.AdamW(model.parameters(), lr, betas=(0.9, 0.99), weight_decay=0.1)
    length = (len(train) - 1) // batch_size
    x = train[: batch_size * length].view(batch_size, length)
    y = train[1 : batch_size * length + 1].view(batch_size, length)
    started, read, place, state = time.process_time(), 0, 0, None
    while (part := (time.process_time() - started) / seconds) < 1:
        if place + STEPS > length:
            place, state = 0, None
        rate = part / 0.1 if part < 0.1 else 0.5 + 0.5 * math.cos(math.pi * (part - 0.1) / 0.9)
        for group in optimizer.param_groups:
            group["lr"] = lr * max(rate, 0.001)
        chunk = slice(place, place + STEPS)
        logits, state = model(x[:, chunk], state)
        loss = F.cross_entropy(logits.flatten(0, 1), y[:, chunk].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state, place, read = carry_state(state), place + STEPS, read + batch_size * STEPS
    return read, time.process_time() - started


@torch.no_grad()
def probabilities(model, held_out):
    logits, _ = model.eval()(held_out[None, :-1])
    p = logits[0].double().softmax(dim=1).gather(1, held_out[1:, None])[:, 0]
    return np.concatenate([[1 / logits.shape[2]], p.numpy()])


def bits(p):
    return float(-np.log2(p).mean())


def networks(title, ids, n_held_out, vocab_size, counted):
    """Print a row per network, and below each by chunks one for its mean with counting.

    counted: the probabilities that counting gives to the held-out characters
    """
    train, held_out = ids[:-n_held_out], ids[-n_held_out:]
    kinds = {
        "loop, batch 1, 192 units": (by_the_loop, {}),
        "chunks of 16 rows, 192 units": (by_chunks, {}),
        "the same, two layers of 128": (by_chunks, {"hidden_size": 128, "num_layers": 2}),
    }
    columns = "network | bits ± sd:.3f | characters | CPU s:.1f | characters/s | × the loop:.1f"
    speeds = []
    with table(title, columns) as row:
        for name, (learn, settings) in kinds.items():
            runs = []
            for seed in SEEDS:
                torch.manual_seed(seed)
                sizes = {"embedding_size": 64, "hidden_size": 192, "num_layers": 1} | settings
                model = CharLSTM(vocab_size, **sizes)
                work = learn(model, train, SECONDS)
                p = probabilities(model, held_out)
                runs.append((bits(p), bits((p + counted) / 2), *work))
            scores, mixed, read, seconds = map(list, zip(*runs, strict=True))
            speeds.append(sum(read) / sum(seconds))
            row(name, scores, read, seconds, speeds[-1], speeds[-1] / speeds[0])
            if learn is by_chunks:
                row("  half of it, half counting", mixed)


def counting(title, text, n_held_out, vocab):
    """Print the bits of n-grams of order 1 to 8; return the best one's probabilities."""
    best = None
    columns = "n-grams | Witten-Bell:.3f | Kneser-Ney:.3f | characters | CPU s:.1f"
    with table(title, columns) as row:
        for order in range(1, 9):
            started = time.process_time()
            models = (kind(text[:-n_held_out], order, vocab) for kind in (WittenBell, KneserNey))
            both = [model.probabilities(text[-n_held_out:]) for model in models]
            seconds = time.process_time() - started
            row(f"order {order}", *map(bits, both), 2 * len(text), seconds)
            best = min([p for p in (best, *both) if p is not None], key=bits)
    return best


def measure(name, text):
    """Print the tables for one text."""
    vocab = build_vocab(text)
    n_held_out = len(text) // 10
    size = f"{len(text)} characters, {len(vocab)} different, {n_held_out} held out"
    counted = counting(f"{name}: {size}", text, n_held_out, vocab)
    title = f"{name}: means of {len(SEEDS)} runs"
    networks(title, encode(text, vocab), n_held_out, len(vocab), counted)


def main(path=None):
    torch.set_num_threads(1)
    if path:
        measure(path, texts.load_text(path, at_least=20_000))
        return
    measure("Python's documentation", texts.python_docs())
    measure("Python's source code", texts.python_source())


if __name__ == "__main__":
    main(*sys.argv[1:2])
