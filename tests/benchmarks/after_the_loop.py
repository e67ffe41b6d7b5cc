"""Chapter 6's networks: two tasks, the adding problem, one text, and what writing costs.

    python tests/benchmarks after_the_loop

All are stacks of blocks that differ in their mixer only. Shares of right answers, errors and bits
are mean ± sd of three trainings. Promised: plain RNN, LSTM, the minGRU with tanh and the delta rule
with rates up to 2 have 0.99 of the answers to 200 bits of parity right, or more, and attention,
minGRU, linear attention and the delta rule with rates up to 1 are at chance, below 0.6; of recall
with 8 pairs, attention, linear attention and the delta rule have 0.95 or more, LSTM and minGRU less
than 0.5. Shares are of the answers to 256 sequences, which tell them to 0.03 or better, errors of
2000. The text is Python's documentation, its last tenth held out; what is scored has at least HALF
characters before it, and "sample" is the standard error that the held-out windows leave, largely
common to all networks. Where there is a GPU, the networks read it there once more; seconds are then
those of a clock, and of a processor elsewhere.
"""

import itertools
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers import texts
from helpers.ngrams import KneserNey, WittenBell
from helpers.stacks import Keyed, Stack, delta_rule, linear_attention
from tests import chapters
from tests.benchmarks._writing import Writer
from tests.benchmarks.machine import table

SEEDS = range(3)
PARITY, RECALL, LONGER = 150, 300, 8  # updates of a training, and times as many for one of them
ADDING, TERMS = 300, 200  # updates, and steps
CHARACTERS, ROWS, HALF, WIDTH = 1_000_000, 8, 64, 128  # windows have twice HALF characters
WRITTEN = 1000
UNSEEN = 9_999_999  # a seed that no training has


def kinds(chapter, width):
    """Return name -> a function that makes the mixer."""
    attention, min_gru = chapter["causal_attention"], chapter["MinGRU"]
    return {
        "plain RNN": lambda: nn.RNN(width, width, batch_first=True),
        "LSTM": lambda: nn.LSTM(width, width, batch_first=True),
        "attention": lambda: Keyed(width, 4, attention),
        "minGRU": lambda: min_gru(width, width),
        "minGRU, a in (-1, 1)": lambda: min_gru(width, width, gate=torch.tanh),
        "linear attention": lambda: Keyed(width, 4, linear_attention),
        "delta rule, rates to 1": lambda: Keyed(width, 4, delta_rule, rate_up_to=1.0),
        "delta rule, rates to 2": lambda: Keyed(width, 4, delta_rule, rate_up_to=2.0),
    }


def train(net, batches, updates, loss_fn, lr, weight_decay=0.01):
    """Train on `updates` pairs (x, y) as section 6.1 does; return the seconds that it took."""
    optimizer = torch.optim.AdamW(net.parameters(), lr, weight_decay=weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=updates, pct_start=0.1, cycle_momentum=False
    )
    started = seconds(net)
    for x, y in itertools.islice(batches, updates):
        optimizer.zero_grad()
        loss_fn(net(x), y).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return seconds(net) - started


def seconds(net):
    """Return the processor's seconds so far, or those of a clock where the network is on a GPU."""
    if next(net.parameters()).is_cuda:
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def of_the_last(logits, y):
    return F.cross_entropy(logits[:, -y.shape[1] :].flatten(0, 1), y.flatten())


def error_of_the_last(said, y):
    return F.mse_loss(said[:, -1], y)


def of_each(logits, y):
    return F.cross_entropy(logits.flatten(0, 1), y.flatten())


def right(net, x, y):
    with torch.no_grad():
        return float((net(x)[:, -y.shape[1] :].argmax(dim=2) == y).float().mean())


class LookingOneBack(nn.Module):
    """An LSTM that gets the step before as well, as the first head of `Keyed` has its key."""

    def __init__(self, width=64):
        super().__init__()
        self.lstm = nn.LSTM(2 * width, width, batch_first=True)

    def forward(self, x):
        return self.lstm(torch.cat([x, F.pad(x[:, :-1], (0, 0, 1, 0))], dim=2))


def overwritten(recall, batch_size, n, seed):
    """Return x (B, 5n), a batch of recall whose keys get new values before they are asked; and y.

    y (B, n): the new values
    """
    x, _ = recall(batch_size, n, seed)
    pairs, asked = x[:, : 2 * n], x[:, 2 * n :]
    keys = pairs[:, ::2]
    new = torch.randint(32, 64, keys.shape, generator=torch.Generator().manual_seed(seed))
    again = torch.stack([keys, new], dim=2).flatten(1)
    places = (asked[:, :, None] == keys[:, None, :]).int().argmax(dim=2)
    return torch.cat([pairs, again, asked], dim=1), new.gather(1, places)


def each(runs):
    """Return for each figure the list of what the runs had."""
    return [list(figures) for figures in zip(*runs, strict=True)]


def tasks(chapter):
    """Print what each network gets right of parity, of recall, and of recall overwritten."""
    parity, recall = chapter["parity_batch"], chapter["recall_batch"]
    batches = {
        "parity": lambda seed: parity(64, 5 + 7 * seed % 36, seed),
        "recall": lambda seed: recall(64, 8, seed),
        "overwritten": lambda seed: overwritten(recall, 64, 8, seed),
    }
    over = overwritten(recall, 256, 8, UNSEEN)
    asked = {
        "parity": [parity(256, T, UNSEEN) for T in (40, 80, 200)],
        "recall": [*(recall(256, pairs, UNSEEN) for pairs in (8, 16, 32)), over],
        "overwritten": [over],
    }

    def runs(make, task, *, updates=RECALL, lr=0.008, **settings):
        found = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            numbers = 2 if task == "parity" else 64
            net = Stack(numbers, numbers, 64, make(), **settings)
            drawn = (batches[task](10_000 * seed + k) for k in itertools.count())
            took = train(net, drawn, updates, of_the_last, lr)
            found.append((*(right(net, *batch) for batch in asked[task]), took))
        return each(found)

    columns = "network | parity, 40 ± sd:.3f | 80 ± sd:.3f | 200 ± sd:.3f | recall, 8 ± sd:.3f"
    columns += " | 16 ± sd:.3f | 32 ± sd:.3f | overwritten ± sd:.3f | trained on it ± sd:.3f"
    with table("One block of 64 numbers", columns + " | updates | CPU s") as row:
        for name, make in kinds(chapter, 64).items():
            *bits, took = runs(make, "parity", updates=PARITY)
            *pairs, more = runs(make, "recall")
            newer, again = runs(make, "overwritten")
            row(name, *bits, *pairs, newer, PARITY + 2 * RECALL, took + more + again)
        attention = chapter["causal_attention"]
        make = kinds(chapter, 64)["attention"]
        *bits, took = runs(make, "parity", updates=PARITY, positions=200)
        row("attention, with positions", *bits, "", "", "", "", "", PARITY, took)
        *pairs, took = runs(lambda: Keyed(64, 4, attention, one_back=False), "recall")
        row("attention, keys as they come", "", "", "", *pairs, "", RECALL, took)
        *pairs, took = runs(LookingOneBack, "recall")
        row("LSTM, with the step before", "", "", "", *pairs, "", RECALL, took)
        for lr in (0.002, 0.004, 0.008):
            updates = LONGER * RECALL
            *pairs, took = runs(kinds(chapter, 64)["LSTM"], "recall", updates=updates, lr=lr)
            row(f"LSTM, rate {lr}", "", "", "", *pairs, "", updates, took)


def adding(chapter, batch):
    """Print the squared errors on the adding problem; always answering 1 has 0.167.

    batch: (batch_size, T, seed) -> x (B, T, 2) and y (B, 1)
    """
    names = "LSTM", "attention", "minGRU", "minGRU, a in (-1, 1)", "delta rule, rates to 2"
    title = f"The adding problem, {TERMS} steps, {ADDING} updates: squared error at the last step"
    with table(title, "network | error ± sd:.4f | CPU s") as row:
        for name in names:
            errors, spent = [], []
            for seed in SEEDS:
                torch.manual_seed(seed)
                net = Stack(1, 1, 64, kinds(chapter, 64)[name]())
                net.embedding = nn.Linear(2, 64)  # of a value and a mark
                batches = (batch(32, TERMS, 10_000 * seed + k) for k in itertools.count())
                spent.append(train(net, batches, ADDING, error_of_the_last, 0.008))
                with torch.no_grad():
                    x, y = batch(2000, TERMS, UNSEEN)
                    said = torch.cat([net(part)[:, -1:] for part in x.split(250)])
                    errors.append(error_of_the_last(said, y).item())
            row(name, errors, spent)


def write(net, chapter, prime):
    """Return characters per second, and the bytes of the state, after WRITTEN characters."""
    writer, rng = Writer(net, chapter), torch.Generator().manual_seed(0)
    with torch.no_grad():
        said = net(prime[None])[0]
        for t, each in enumerate(prime):  # as it reads all at once, so it reads step by step
            logits = writer(each[None])
            torch.testing.assert_close(logits[0], said[t], atol=1e-3, rtol=1e-3)
        started = time.process_time()
        for _ in range(WRITTEN):
            logits = writer(logits.softmax(dim=1).multinomial(1, generator=rng)[:, 0])
    return WRITTEN / (time.process_time() - started), writer.bytes()


def reading(chapter, device):
    """Print what stacks of two blocks learn from as much text, and in as much time."""
    text = texts.python_docs()
    vocab, cut = sorted(set(text)), len(text) - len(text) // 10
    ids = torch.tensor([vocab.index(character) for character in text]).to(device)
    held_out = ids[cut:].unfold(0, 2 * HALF + 1, HALF)
    makers = kinds(chapter, WIDTH)
    attention = chapter["causal_attention"]
    makers["attention"] = lambda: Keyed(WIDTH, 4, attention, rotary=True)
    names = "LSTM", "minGRU", "minGRU, a in (-1, 1)", "attention", "delta rule, rates to 2"

    def windows(rng):
        while True:
            starts = torch.randint(cut - 2 * HALF, (ROWS, 1), generator=rng)
            rows = ids[(starts + torch.arange(2 * HALF + 1)).to(device)]
            yield rows[:, :-1], rows[:, 1:]

    def run(name, seed, characters):
        torch.manual_seed(seed)
        net = Stack(len(vocab), len(vocab), WIDTH, makers[name](), makers[name]()).to(device)
        batches = windows(torch.Generator().manual_seed(seed))
        updates = int(characters / (ROWS * 2 * HALF))
        took = train(net, batches, updates, of_each, 0.004, weight_decay=0.1)
        with torch.no_grad():
            logits = torch.cat([net(rows[:, :-1])[:, HALF:] for rows in held_out.split(64)])
        nats = F.cross_entropy(logits.transpose(1, 2), held_out[:, HALF + 1 :], reduction="none")
        bits = nats.mean(dim=1) / np.log(2)  # of each window
        return bits.mean().item(), bits.std().item() / len(bits) ** 0.5, took, net

    if device == "cpu":
        with table("The text, counted", "model | bits:.3f") as row:
            for kind, order in ((WittenBell, 5), (KneserNey, 12)):
                p = kind(text[:cut], order, vocab).probabilities(text[cut:])
                row(f"{kind.__name__}, order {order}", float(-np.log2(p).mean()))
    columns = "network | weights | bits ± sd:.3f | sample:.3f | characters | CPU s | characters/s"
    title = f"The text read by two blocks of {WIDTH} numbers, {device}"
    spent = {}
    with table(f"{title}: as many characters", columns + " | writing/s | KiB:.0f") as row:
        for name in names:
            scores, samples, spent[name], nets = each(
                [run(name, seed, CHARACTERS) for seed in SEEDS]
            )
            weights = sum(weight.numel() for weight in nets[0].parameters())
            speed = CHARACTERS / np.mean(spent[name])
            written = ()
            if device == "cpu":
                writing, size = write(nets[0], chapter, ids[cut : cut + 2 * HALF])
                written = writing, size / 1024
            row(name, weights, scores, samples, CHARACTERS, spent[name], speed, *written)
    longest = max(np.mean(took) for took in spent.values())
    with table(f"{title}: {longest:.0f} s each", columns) as row:
        for name in names:
            characters = int(CHARACTERS * longest / np.mean(spent[name]))
            scores, samples, took, nets = each([run(name, seed, characters) for seed in SEEDS])
            weights = sum(weight.numel() for weight in nets[0].parameters())
            speed = characters / np.mean(took)
            row(name, weights, scores, samples, characters, took, speed)


def main():
    torch.set_num_threads(1)
    defined = {path.stem[:2]: path for path in chapters.SOLUTIONS}
    third, chapter = (chapters.define(chapters.read(defined[n])) for n in ("03", "06"))
    tasks(chapter)
    adding(chapter, third["adding_problem_batch"])
    for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
        reading(chapter, device)
