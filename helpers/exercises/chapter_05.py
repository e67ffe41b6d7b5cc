"""The exercises of chapter 5, text character by character.

Symbols: V characters in the vocabulary, N characters in a text, B texts side by side, T time steps,
H hidden size. `ids` are the numbers of characters in the vocabulary, whole numbers.
"""

import math
from collections import Counter

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.exercises import diagnosis, drivers
from helpers.exercises.checking import Exercise, Mistake
from helpers.exercises.clinic import claims_exercise
from helpers.training import carry_state


def letters_of(points):
    """Return code points as text in quotes, for a card."""
    return repr("".join(map(chr, points)))


def seed_of(rng):
    return int(rng.integers(2**31))


# --- build_vocab ----------------------------------------------------------------------------------

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGH 0123456789.,\n"
STRANGE = "éßΩ€漢"


def some_text(rng, n, letters=ALPHABET):
    return "".join(rng.choice(list(letters), size=n))


def build_vocab(text):
    return [chr(point) for point in np.unique([ord(c) for c in text])] if text else []


UNSORTED = (
    "`list(set(text))` has another order in every new Python: the weights of yesterday would meet "
    "other characters today. Sort it."
)


def explain_vocab(got, expected):
    mine, right = got["vocab"], expected["vocab"]
    if len(mine) != len(right):
        return f"`vocab` has {len(mine)} characters; the text has {len(right)} different ones."
    if set(mine) == set(right):
        return UNSORTED
    first = int(np.flatnonzero(mine != right)[0])
    return (
        f"Character {first} of `vocab` is {letters_of(mine[first : first + 1])}; expected "
        f"{letters_of(right[first : first + 1])}."
    )


BUILD_VOCAB = Exercise(
    name="build_vocab",
    title="the characters of a text, in order",
    points=1,
    outputs={"vocab": "v"},
    cases=lambda rng: [
        {"text": text}
        for text in (
            "banana",
            "two words\n",
            "\nThe cat\nin the café ",
            *(some_text(rng, n) for n in (1, 8, 20, 40)),
        )
    ],
    drive=drivers.call_build_vocab,
    reference=build_vocab,
    against="`numpy.unique` of the code points",
    tolerance=0.0,
    explain=explain_vocab,
    mistakes=(
        Mistake(
            UNSORTED,
            lambda text: list(set(text)),
        ),
        Mistake(
            "Characters come in the order of their first appearance, so another beginning of the "
            "text gives other numbers. Sort them.",
            lambda text: list(dict.fromkeys(text)),
        ),
        Mistake(
            "Every character of the text is there as often as it occurs. Keep each once: `set`.",
            sorted,
        ),
        Mistake(
            "Capitals are missing: this lowers the text first. 'T' and 't' are two characters.",
            lambda text: sorted(set(text.lower())),
        ),
        Mistake(
            "Spaces and line ends are missing. They are characters like the others.",
            lambda text: sorted(c for c in set(text) if not c.isspace()),
            also=(lambda text: sorted(set("".join(text.split()))),),
        ),
        Mistake(
            "Line ends are missing. They are characters like the others.",
            lambda text: sorted(set(text) - {"\n"}),
            also=(lambda text: sorted({c for line in text.split("\n") for c in line}),),
        ),
        Mistake(
            "These are words. The chapter predicts one character at a time.",
            lambda text: sorted(set(text.split())),
        ),
        Mistake(
            "Characters beyond ASCII are missing, é say. They are characters like the others.",
            lambda text: sorted(c for c in set(text) if ord(c) < 128),
        ),
        Mistake(
            "What stands at the edges is stripped off: a space or line end there counts, too.",
            lambda text: sorted(set(text.strip())),
        ),
        Mistake(
            "Only letters are there. Spaces, digits, signs and line ends are characters, too.",
            lambda text: sorted(c for c in set(text) if c.isalpha()),
        ),
        Mistake(
            "The most frequent character comes first. Sort by the characters themselves.",
            lambda text: [c for c, _ in Counter(text).most_common()],
        ),
        Mistake(
            "The order is reversed. `sorted` alone is right.",
            lambda text: sorted(set(text), reverse=True),
        ),
    ),
)

# --- encode ---------------------------------------------------------------------------------------


def encode(text, vocab):
    known = np.array([ord(c) for c in vocab])
    points = np.array([ord(c) for c in text], dtype=known.dtype)
    order = known.argsort()
    ids = order[np.searchsorted(known, points, sorter=order).clip(max=len(known) - 1)]
    if (wrong := known[ids] != points).any():
        c = text[int(wrong.argmax())]
        raise ValueError(
            f"{c!r} at {int(wrong.argmax())} is not in the vocabulary of {len(vocab)}."
        )
    return torch.from_numpy(ids)


def encode_cases(rng):
    def case(n, shuffled=False, strange="", place=0):
        letters = rng.permutation(list(ALPHABET))[: int(rng.integers(5, 20))]
        vocab = "".join(letters if shuffled else sorted(letters))
        text = some_text(rng, n, vocab)
        return {"text": text[:place] + strange + text[place:], "vocab": vocab}

    wide = "".join(chr(0x4E00 + i) for i in range(300))
    plain = [case(n) for n in (1, 12, 30)] + [case(15, shuffled=True)]
    plain.append({"text": some_text(rng, 20, wide), "vocab": wide})
    places = (int(rng.integers(1, 12)), 0, 12)  # within, at the beginning, at the end
    strange = zip(rng.choice(list(STRANGE), size=3), places, strict=True)
    return plain + [case(12, strange=str(c), place=place) for c, place in strange]


def explain_ids(got, expected):
    if got["refused"] != expected["refused"]:
        return (
            "A text with a character that `vocab` does not have went through, or the error does "
            "not name it. Raise a `ValueError` that does, wherever the character stands."
        )
    return diagnosis.localise(ENCODE.outputs, got, expected, ENCODE.tolerance)


def by_dict(missing=None, start=0):
    """Return an `encode` by a dict; `missing` says what becomes of an unknown character."""

    def answer(text, vocab):
        number = {c: i for i, c in enumerate(vocab, start=start)}
        if missing is None:
            return torch.tensor([number[c] for c in text])
        return torch.tensor([number.get(c, missing) for c in text])

    return answer


def one_hot_rows(text, vocab):
    return torch.eye(len(vocab))[encode(text, vocab)]


def refuses_without_a_name(text, vocab):
    if not set(text) <= set(vocab):
        raise ValueError("unknown character")
    return encode(text, vocab)


ENCODE = Exercise(
    name="encode",
    title="text to numbers",
    points=1,
    outputs={"refused": "", "ids": "i"},
    cases=encode_cases,
    drive=drivers.call_encode,
    reference=encode,
    against="a search of each code point in the vocabulary,",
    tolerance=0.0,
    explain=explain_ids,
    mistakes=(
        Mistake(
            "An unknown character ends in a KeyError, which does not say what to do. Raise a "
            "`ValueError` that names the character.",
            by_dict(),
        ),
        Mistake(
            "An unknown character is refused, but the error does not name it. Put it into the "
            "message: `{c!r}`.",
            refuses_without_a_name,
            also=(lambda text, vocab: torch.tensor(["".join(vocab).index(c) for c in text]),),
        ),
        Mistake(
            "Unknown characters are left out without a word, so the text that comes back is "
            "another one. Raise a `ValueError`.",
            lambda text, vocab: torch.tensor([vocab.index(c) for c in text if c in vocab]),
        ),
        Mistake(
            "An unknown character silently becomes number 0, which is another character. Raise a "
            "`ValueError`.",
            by_dict(missing=0),
        ),
        Mistake(
            "An unknown character silently becomes -1, which counts from the end: it is decoded "
            "as the last character. Raise a `ValueError`.",
            by_dict(missing=-1),
            also=(lambda text, vocab: torch.tensor(["".join(vocab).find(c) for c in text]),),
        ),
        Mistake(
            "These are code points, `ord`. The number of a character is its place in `vocab`.",
            lambda text, vocab: torch.tensor([ord(c) for c in text]),
        ),
        Mistake(
            "The numbers start at 1. Places in a list start at 0.",
            lambda text, vocab: encode(text, vocab) + 1,
            also=(by_dict(missing=0, start=1), by_dict(start=1)),
        ),
        Mistake(
            "This builds its own vocabulary from the text it is given. Use `vocab`, or training "
            "and test would speak different languages.",
            lambda text, vocab: torch.tensor([sorted(set(text)).index(c) for c in text]),
        ),
        Mistake(
            "This sorts `vocab` first. Its order is given; use it as it is.",
            lambda text, vocab: torch.tensor([sorted(vocab).index(c) for c in text]),
        ),
        Mistake(
            "The type is too small: `uint8` ends at 255, and a text may have more characters. Use "
            "`torch.int64`.",
            lambda text, vocab: encode(text, vocab).to(torch.uint8),
            also=(lambda text, vocab: encode(text, vocab).to(torch.int8),),
        ),
        Mistake(
            "These are one-hot rows. Return one whole number per character.",
            one_hot_rows,
            also=(lambda text, vocab: F.one_hot(encode(text, vocab), len(vocab)),),
        ),
        Mistake(
            "The numbers are floating-point. `nn.Embedding` and `cross_entropy` want whole ones: "
            "make the tensor from ints.",
            lambda text, vocab: encode(text, vocab).float(),
        ),
    ),
)

# --- decode ---------------------------------------------------------------------------------------


def decode(ids, vocab):
    return b"".join(vocab[i].encode("utf-32-le") for i in ids.tolist()).decode("utf-32-le")


def explain_decoded(got, expected):
    return f"The text is {letters_of(got['text'])}; expected {letters_of(expected['text'])}."


def decode_cases(rng):
    def case(n):
        vocab = "".join(rng.permutation([" ", *STRANGE, *rng.permutation(list(ALPHABET[:-1]))[:9]]))
        ids = rng.integers(15, size=n)
        ids[[0, -1]] = vocab.index(" ")  # what a `strip` would take away
        return {"ids": ids, "vocab": vocab}

    return [case(n) for n in (6, 1, 25, 40)]


DECODE = Exercise(
    name="decode",
    title="numbers to text",
    points=1,
    outputs={"text": "i"},
    cases=decode_cases,
    drive=drivers.call_decode,
    reference=decode,
    against="the characters looked up one by one",
    tolerance=0.0,
    explain=explain_decoded,
    mistakes=(
        Mistake(
            "Return one string, not a list of characters: `''.join(...)`.",
            lambda ids, vocab: [vocab[i] for i in ids],
        ),
        Mistake(
            "These are the characters with those code points, `chr`. A number here is a place in "
            "`vocab`.",
            lambda ids, vocab: "".join(chr(i) for i in ids),
        ),
        Mistake(
            "There are spaces between the characters. Join them with nothing between.",
            lambda ids, vocab: " ".join(vocab[i] for i in ids),
        ),
        Mistake(
            "These are the numbers themselves, as text. Look each up in `vocab`.",
            lambda ids, vocab: "".join(str(int(i)) for i in ids),
            also=(lambda ids, vocab: str(ids.tolist()), lambda ids, vocab: str(ids)),
        ),
        Mistake(
            "This looks up in the sorted vocabulary. Its order is given; use it as it is.",
            lambda ids, vocab: "".join(sorted(vocab)[i] for i in ids),
        ),
        Mistake(
            "Every character appears once: this joins a set, or looks up the unique numbers.",
            lambda ids, vocab: "".join(vocab[i] for i in ids.unique()),
            also=(lambda ids, vocab: "".join(dict.fromkeys(vocab[i] for i in ids)),),
        ),
        Mistake(
            "The characters are one place off: the first has number 0.",
            lambda ids, vocab: "".join(vocab[i - 1] for i in ids),
        ),
        Mistake(
            "A tensor is not an index of a dict: each of its entries is a new object, found under "
            "no key. Use `ids.tolist()`, or look up in the list.",
            lambda ids, vocab: "".join(dict(enumerate(vocab))[i] for i in ids),
        ),
    ),
)

# --- batchify -------------------------------------------------------------------------------------


def batchify(ids, batch_size, steps, n_held_out):
    train = ids[: len(ids) - n_held_out]
    length = (len(train) - 1) // batch_size
    chunks = length // steps
    starts = torch.arange(batch_size) * length
    place = torch.arange(chunks)[:, None, None] * steps + starts[None, :, None]
    place = place + torch.arange(steps)
    return train[place], train[place + 1], ids[len(ids) - n_held_out :]


def into_chunks(matrix, steps):
    n = matrix.shape[1] // steps
    return matrix[:, : n * steps].unflatten(1, (n, steps)).transpose(0, 1)


def batchify_by(
    rows=lambda train, B: train[: (len(train) - 1) // B * B].reshape(B, -1),
    targets=lambda train, B: train[1 : (len(train) - 1) // B * B + 1].reshape(B, -1),
    parts=lambda ids, n: (ids[:-n], ids[-n:]),
    chunks=into_chunks,
    finish=lambda x, y: (x, y),
):
    """Return a `batchify` that departs from the right one in one place."""

    def answer(ids, batch_size, steps, n_held_out):
        train, held_out = parts(ids, n_held_out)
        x, y = (
            chunks(matrix, steps)
            for matrix in (rows(train, batch_size), targets(train, batch_size))
        )
        return *finish(x, y), held_out

    return answer


def one_text_in_a_row(ids, batch_size, steps, n_held_out):
    train, held_out = ids[:-n_held_out], ids[-n_held_out:]
    size = batch_size * steps
    n = (len(train) - 1) // size
    x, y = (part[: n * size].reshape(n, batch_size, steps) for part in (train[:-1], train[1:]))
    return x, y, held_out


def rows_are_cut_short(ids, batch_size, steps, n_held_out):
    train, held_out = ids[:-n_held_out], ids[-n_held_out:]
    n = (len(train) - 1) // (batch_size * steps)
    size = n * batch_size * steps
    x, y = (
        part[:size].reshape(batch_size, n, steps).transpose(0, 1) for part in (train, train[1:])
    )
    return x, y, held_out


def overlapping_chunks(matrix, steps):
    return torch.stack([matrix[:, k : k + steps] for k in range(matrix.shape[1] - steps + 1)])


def batchify_cases(rng):
    sizes = [(3, 4, 5), (2, 5, 1), (1, 3, 4), (4, 2, 9), (5, 3, 7)]  # B, T, held out
    cases = []
    for i, (B, T, n_held_out) in enumerate(sizes):
        chunks = int(rng.integers(2, 5))
        length = chunks * T + (int(rng.integers(T)) if i else 0)
        n = B * length + 1 + (int(rng.integers(B)) if i else B - 1) + n_held_out
        ids = rng.permutation(500)[:n]
        cases.append({"ids": ids, "batch_size": B, "steps": T, "n_held_out": n_held_out})
    return cases


BATCHIFY = Exercise(
    name="batchify",
    title="batches that let the state flow",
    points=3,
    outputs={"x": "chunk B T", "y": "chunk B T", "held_out": "i"},
    cases=batchify_cases,
    drive=drivers.call_batchify,
    reference=batchify,
    against="each character looked up by its chunk, row and step",
    tolerance=0.0,
    mistakes=(
        Mistake(
            "The rows do not continue: row b goes on in row b + 1 of the same chunk, so the state "
            "handed on belongs to another place. Cut the text into B long rows first, then the "
            "rows into chunks.",
            one_text_in_a_row,
        ),
        Mistake(
            "The target is the input itself, not shifted: the network would learn to copy. y is "
            "one character further.",
            batchify_by(targets=lambda t, B: t[: (len(t) - 1) // B * B].reshape(B, -1)),
        ),
        Mistake(
            "The target is shifted the wrong way: it is the character before. y is one character "
            "further.",
            batchify_by(
                targets=lambda t, B: t.roll(1)[: (len(t) - 1) // B * B].reshape(B, -1),
            ),
        ),
        Mistake(
            "Within each chunk the last target is the chunk's own first character: `roll` goes "
            "round. Shift the text before you cut it.",
            batchify_by(finish=lambda x, y: (x, x.roll(-1, dims=2))),
        ),
        Mistake(
            "In each row the last target is the row's own first character: `roll` goes round. "
            "Shift the text before you cut it.",
            batchify_by(
                targets=lambda t, B: t[: (len(t) - 1) // B * B].reshape(B, -1).roll(-1, dims=1),
            ),
        ),
        Mistake(
            "Training and held-out text overlap: the batches are cut from all of `ids`, and the "
            "score would be that of a text it has seen.",
            batchify_by(parts=lambda ids, n: (ids, ids[-n:])),
        ),
        Mistake(
            "The beginning is held out. Hold out the end, the last `n_held_out`.",
            batchify_by(parts=lambda ids, n: (ids[n:], ids[:n])),
        ),
        Mistake(
            "Chunks overlap: each begins one step after the one before. With the state handed on, "
            "each begins where the one before ended.",
            batchify_by(chunks=overlapping_chunks),
        ),
        Mistake(
            "Time and batch are swapped. The shape is (chunks, B, T).",
            batchify_by(finish=lambda x, y: (x.transpose(1, 2), y.transpose(1, 2))),
        ),
        Mistake(
            "Rows and chunks are swapped: axis 0 counts the chunks, axis 1 the rows.",
            batchify_by(finish=lambda x, y: (x.transpose(0, 1), y.transpose(0, 1))),
        ),
        Mistake(
            "The last chunk is lost.",
            batchify_by(chunks=lambda matrix, T: into_chunks(matrix, T)[:-1]),
        ),
        Mistake(
            "Rows are shorter than they could be: cut the text into B rows of (n - 1) // B "
            "characters first, and let each row drop what fills no chunk.",
            rows_are_cut_short,
        ),
        Mistake(
            "The target is only the character behind each chunk. Every step has one: y has the "
            "shape of x.",
            batchify_by(finish=lambda x, y: (x, y[:, :, -1])),
        ),
        Mistake(
            "The columns of the matrix are read as rows: consecutive characters must stand in one "
            "row. `reshape(batch_size, -1)`, not `reshape(-1, batch_size).T`.",
            batchify_by(
                rows=lambda t, B: t[: (len(t) - 1) // B * B].reshape(-1, B).T,
                targets=lambda t, B: t[1 : (len(t) - 1) // B * B + 1].reshape(-1, B).T,
            ),
        ),
        Mistake(
            "The text does not divide by the batch size: drop what is left over, and keep one "
            "character for the last target.",
            batchify_by(
                rows=lambda t, B: t[:-1].reshape(B, -1),
                targets=lambda t, B: t[1:].reshape(B, -1),
            ),
            also=(
                batchify_by(rows=lambda t, B: t.reshape(B, -1)),
                batchify_by(
                    rows=lambda t, B: t[: len(t) // B * B].reshape(B, -1),
                    targets=lambda t, B: t[1 : len(t) // B * B + 1].reshape(B, -1),
                ),
            ),
        ),
        Mistake(
            "The numbers are floating-point. They stay whole, as they came.",
            batchify_by(finish=lambda x, y: (x.float(), y.float())),
        ),
    ),
)

# --- bits_per_char --------------------------------------------------------------------------------


def bits_per_char(learn, train, held_out):
    probabilities = learn(train)(held_out)
    return -sum(math.log2(p) for p in probabilities) / len(held_out)


def bits_by(score, see=lambda train, held_out: train, on=lambda train, held_out: held_out):
    """Return a `bits_per_char` that departs from the right one in one place."""
    return lambda learn, train, held_out: score(
        np.asarray(learn(see(train, held_out))(on(train, held_out)))
    )


def alone(learn, train, held_out):
    probabilities = learn(train)
    return -np.log2([probabilities(c)[0] for c in held_out]).mean()


def mean_bits(p):
    return -np.log2(p).mean()


BITS_PER_CHAR = Exercise(
    name="bits_per_char",
    title="learn from one text, be measured on another",
    points=2,
    outputs={"bits": ""},
    cases=lambda rng: [
        {"train": some_text(rng, n, "abcde"), "held_out": some_text(rng, m, "abcdefg")}
        for n, m in ((10, 6), (40, 9), (25, 30), (60, 12), (50, 2000))
    ],
    drive=drivers.call_bits_per_char,
    reference=bits_per_char,
    against="the logarithms added one by one",
    tolerance=1e-6,
    mistakes=(
        Mistake(
            "These are nats, from the natural logarithm. Bits come from `log2`.",
            bits_by(lambda p: -np.log(p).mean()),
        ),
        Mistake(
            "This logarithm has base 10. Bits come from base 2.",
            bits_by(lambda p: -np.log10(p).mean()),
        ),
        Mistake(
            "This is the logarithm of the mean probability. Take the logarithm of each, then the "
            "mean: a text is as probable as the product of its characters.",
            bits_by(lambda p: -np.log2(p.mean())),
        ),
        Mistake(
            "This averages the exponentials, 1 / p, the perplexity of each character. Average the "
            "logarithms.",
            bits_by(lambda p: (1 / p).mean()),
            also=(bits_by(lambda p: np.log2((1 / p).mean())),),
        ),
        Mistake(
            "This is the perplexity, 2 to the power of the bits. Leave the mean as it is.",
            bits_by(lambda p: 2 ** mean_bits(p)),
            also=(bits_by(lambda p: np.exp(-np.log(p).mean())),),
        ),
        Mistake(
            "The held-out text is among what is learned from, so the score is flattered.",
            bits_by(mean_bits, see=lambda train, held_out: train + held_out),
        ),
        Mistake(
            "This learns from the held-out text itself. Learn from `train` alone.",
            bits_by(mean_bits, see=lambda train, held_out: held_out),
        ),
        Mistake(
            "This is the score on the text that was learned from. Measure on `held_out`.",
            bits_by(mean_bits, on=lambda train, held_out: train),
        ),
        Mistake(
            "Each character is asked for alone, without those before it. Hand over the whole text: "
            "`probabilities(held_out)`.",
            alone,
        ),
        Mistake(
            "The product of many probabilities is too small for a computer's numbers: it becomes 0 "
            "and the bits infinite. Add the logarithms instead.",
            bits_by(lambda p: -np.log2(np.prod(p)) / len(p)),
        ),
        Mistake(
            "The sign is missing: probabilities are below 1, so their logarithms are negative.",
            bits_by(lambda p: np.log2(p).mean()),
        ),
        Mistake(
            "This is the sum, the bits of the whole text. Divide by its length.",
            bits_by(lambda p: -np.log2(p).sum()),
        ),
        Mistake(
            "Each logarithm is weighted by its probability, as in the formula of an entropy. Here "
            "the text does the weighting: take the plain mean.",
            bits_by(lambda p: -(p * np.log2(p)).sum()),
            also=(bits_by(lambda p: -(p * np.log2(p)).mean()),),
        ),
    ),
)

# --- RNNTextGen, CharLSTM -------------------------------------------------------------------------


class RNNTextGen(nn.Module):
    """One RNN layer on one-hot input, and a linear layer at every step."""

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "rnn": nn.RNN(input_size, hidden_size, batch_first=True),
                "fc": nn.Linear(hidden_size, output_size),
            }
        )

    def forward(self, x, h0=None):
        states, h = self.layers["rnn"](x, h0)
        return self.layers["fc"](states), h


def text_gen(
    answer=lambda self, states, h: (self.fc(states), h),
    network=nn.RNN,
    state=lambda h0: h0,
    **settings,
):
    """Return an `RNNTextGen` that departs from the right one in one place."""
    settings = {"batch_first": True} | settings
    directions = 2 if settings.get("bidirectional") else 1

    class Model(nn.Module):
        def __init__(self, input_size, hidden_size, output_size):
            super().__init__()
            self.rnn = network(input_size, hidden_size, **settings)
            self.fc = nn.Linear(directions * hidden_size, output_size)

        def forward(self, x, h0=None):
            states, h = self.rnn(x, state(h0))
            return answer(self, states, h)

    return Model


class Remembers(text_gen()):
    """Keeps its state itself, so that a second text goes on where the first ended."""

    def forward(self, x, h0=None):
        states, self.h = self.rnn(x, getattr(self, "h", h0) if h0 is None else h0)
        return self.fc(states), self.h


class NotAsManyOutputs(text_gen()):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__(input_size, hidden_size, input_size)


def one_hot_cases(rng):
    cases = []
    for V, H, B, T in [(5, 4, 3, 6), (7, 3, 2, 9), (4, 6, 4, 5)]:
        x = np.eye(V, dtype=np.float32)[rng.integers(V, size=(B, T))]
        x[:, -1], x[0, 0] = np.eye(V)[np.arange(B) % V], 1 - x[0, -2]
        sizes = [V, H, V + 2]
        cases.append({"x": x, "sizes": sizes, "outputs": V + 2, "seed": seed_of(rng)})
    return cases


TEXT_OUTPUTS = {
    "number of parameters": "",
    "a later character changes an earlier prediction": "",
    "one sequence changes another": "",
    "parameters that get no gradient": "",
    "logits": "B T V",
    "logits of the second half, the state handed on": "B T V",
    "the state is cut off from the graph": "",
}
PROBABILITIES = (
    "These are probabilities: `cross_entropy` applies the softmax itself, and doing it twice "
    "flattens everything. Return the logits, what the linear layer says."
)
LOG_PROBABILITIES = (
    "These are log-probabilities. The loss would not mind, but the exercise asks for the logits, "
    "what the linear layer says."
)
MIXED = "One text changes another: without `batch_first=True` the network takes the batch for time."
FRESH = (
    "The second half of a text does not know the first. Give the state that is handed in to the "
    "network, and return the one that comes out of it."
)
CUT = (
    "The state is cut off from the graph inside the model. Return it as the network gives it: what "
    "is cut, and when, is the training's business."
)
AHEAD = "A later character changes an earlier prediction: a network in both directions has read on."
ALONE = "Return the logits *and* the state; got the logits alone."
LAST_ONLY = "These are the logits of the last step. Every step predicts a character: (B, T, V)."
DETACHED = "Nothing in the network would learn: `detach` cuts the logits off from the weights."
SQUASHED = (
    "An activation stands between the network's states and the linear layer. The states have been "
    "through `tanh` already."
)
EVERY_STATE = (
    "What is returned as the state holds every step. What goes on is the second value "
    "that the network returns."
)
ONE_LAYER = "This network has one layer. The exercise asks for `num_layers` of them, 2 by default."

RNN_TEXT_GEN = Exercise(
    name="RNNTextGen",
    title="a plain RNN that predicts the next character",
    points=2,
    outputs=TEXT_OUTPUTS,
    cases=one_hot_cases,
    drive=drivers.call_text_model,
    reference=RNNTextGen,
    against="`nn.RNN` and `nn.Linear` with the same weights, causal, in two halves and row by row,",
    mistakes=(
        Mistake(PROBABILITIES, text_gen(lambda self, s, h: (self.fc(s).softmax(dim=-1), h))),
        Mistake(
            LOG_PROBABILITIES, text_gen(lambda self, s, h: (self.fc(s).log_softmax(dim=-1), h))
        ),
        Mistake(MIXED, text_gen(batch_first=False)),
        Mistake(FRESH, text_gen(state=lambda h0: None)),
        Mistake(CUT, text_gen(lambda self, s, h: (self.fc(s), h.detach()))),
        Mistake(
            drivers.CHANGES,
            text_gen(lambda self, s, h: (self.fc(F.dropout(s, 0.5)), h)),
            (Remembers,),
        ),
        Mistake(EVERY_STATE, text_gen(lambda self, s, h: (self.fc(s), s))),
        Mistake(
            "The linear layer has `input_size` outputs. It needs `output_size`.",
            NotAsManyOutputs,
        ),
        Mistake(AHEAD, text_gen(bidirectional=True)),
        Mistake(ALONE, text_gen(lambda self, s, h: self.fc(s))),
        Mistake(
            LAST_ONLY,
            text_gen(lambda self, s, h: (self.fc(s[:, -1]), h)),
            also=(text_gen(lambda self, s, h: (self.fc(h[-1]), h)),),
        ),
        Mistake(DETACHED, text_gen(lambda self, s, h: (self.fc(s.detach()), h))),
        Mistake(SQUASHED, text_gen(lambda self, s, h: (self.fc(s.relu()), h))),
        Mistake(
            "Two layers. One is asked for here.",
            text_gen(num_layers=2),
        ),
        Mistake(
            "Too many parameters: a gated network. `RNNTextGen` is a plain one, `nn.RNN`.",
            text_gen(network=nn.GRU),
            also=(text_gen(network=nn.LSTM),),
        ),
        Mistake(
            "The two values are in the wrong order: logits first, then the state.",
            text_gen(lambda self, s, h: (h, self.fc(s))),
        ),
    ),
)


class CharLSTM(nn.Module):
    """Embedding, LSTM layers, and a linear layer at every step."""

    def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "embedding": nn.Embedding(vocab_size, embedding_size),
                "lstm": nn.LSTM(embedding_size, hidden_size, num_layers, batch_first=True),
                "fc": nn.Linear(hidden_size, vocab_size),
            }
        )

    def forward(self, ids, state=None):
        states, state = self.layers["lstm"](self.layers["embedding"](ids), state)
        return self.layers["fc"](states), state


def char_lstm(
    answer=lambda self, states, state: (self.fc(states), state),
    state=lambda state: state,
    layers=lambda n: n,
    network=nn.LSTM,
    embedded=lambda self, ids: self.embedding(ids),
    embedding=lambda V, E, H: E,
    bidirectional=False,
    batch_first=True,
):
    """Return a `CharLSTM` that departs from the right one in one place."""

    class Model(nn.Module):
        def __init__(self, vocab_size, embedding_size, hidden_size, num_layers=2):
            super().__init__()
            size = embedding(vocab_size, embedding_size, hidden_size)
            self.embedding = nn.Embedding(vocab_size, size)
            self.lstm = network(
                size,
                hidden_size,
                layers(num_layers),
                batch_first=batch_first,
                bidirectional=bidirectional,
            )
            self.fc = nn.Linear(hidden_size * (2 if bidirectional else 1), vocab_size)

        def forward(self, ids, given=None):
            states, new = self.lstm(embedded(self, ids), state(given))
            return answer(self, states, new)

    return Model


def id_cases(rng):
    cases = []
    for sizes, B, T in [((7, 3, 5), 3, 6), ((9, 6, 4), 2, 9), ((6, 4, 5, 1), 4, 5)]:
        x = rng.integers(sizes[0], size=(B, T))
        x[:, -1], x[0, 0] = np.arange(B) % sizes[0], (x[0, -1] + 1) % sizes[0]
        cases.append({"x": x, "sizes": list(sizes), "outputs": sizes[0], "seed": seed_of(rng)})
    return cases


CHAR_LSTM = Exercise(
    name="CharLSTM",
    title="an LSTM of two layers that predicts the next character",
    points=3,
    outputs=TEXT_OUTPUTS,
    cases=id_cases,
    drive=drivers.call_text_model,
    reference=CharLSTM,
    against="`nn.Embedding`, `nn.LSTM` and `nn.Linear` with the same weights, causal, in two "
    "halves and row by row,",
    mistakes=(
        Mistake(PROBABILITIES, char_lstm(lambda self, s, state: (self.fc(s).softmax(-1), state))),
        Mistake(
            LOG_PROBABILITIES, char_lstm(lambda self, s, state: (self.fc(s).log_softmax(-1), state))
        ),
        Mistake(MIXED, char_lstm(batch_first=False)),
        Mistake(FRESH, char_lstm(state=lambda state: None)),
        Mistake(CUT, char_lstm(lambda self, s, state: (self.fc(s), carry_state(state)))),
        Mistake(
            drivers.CHANGES, char_lstm(lambda self, s, state: (self.fc(F.dropout(s, 0.5)), state))
        ),
        Mistake(EVERY_STATE, char_lstm(lambda self, s, state: (self.fc(s), s))),
        Mistake(
            "The state's parts have changed places: PyTorch's pair is (h, c).",
            char_lstm(lambda self, s, state: (self.fc(s), (state[1], state[0]))),
        ),
        Mistake(AHEAD, char_lstm(bidirectional=True)),
        Mistake(ALONE, char_lstm(lambda self, s, state: self.fc(s))),
        Mistake(LAST_ONLY, char_lstm(lambda self, s, state: (self.fc(s[:, -1]), state))),
        Mistake(DETACHED, char_lstm(lambda self, s, state: (self.fc(s.detach()), state))),
        Mistake(
            "Nothing below the LSTM would learn: the embedding is cut off by `detach`.",
            char_lstm(embedded=lambda self, ids: self.embedding(ids).detach()),
        ),
        Mistake(SQUASHED, char_lstm(lambda self, s, state: (self.fc(s.relu()), state))),
        Mistake(ONE_LAYER, char_lstm(layers=lambda n: 1)),
        Mistake(
            "This network always has two layers, also where `num_layers` says otherwise.",
            char_lstm(layers=lambda n: 2),
        ),
        Mistake(
            "Too few parameters for LSTM layers: this is a GRU or a plain RNN.",
            char_lstm(network=nn.GRU),
            also=(char_lstm(network=nn.RNN),),
        ),
        Mistake(
            "The embedding has `hidden_size` numbers per character. Its size is an argument of its "
            "own, `embedding_size`.",
            char_lstm(embedding=lambda V, E, H: H),
        ),
        Mistake(
            "Of the state only h is returned. An LSTM goes on from the pair (h, c).",
            char_lstm(lambda self, s, state: (self.fc(s), state[0])),
        ),
        Mistake(
            "The two values are in the wrong order: logits first, then the state.",
            char_lstm(lambda self, s, state: (state, self.fc(s))),
        ),
    ),
)

# --- train_text_step ------------------------------------------------------------------------------


def train_text_step(model, x, y, state, optimizer, max_norm):
    parameters = list(model.parameters())
    logits, new = model(x, state)
    loss = -logits.log_softmax(dim=-1).gather(2, y.unsqueeze(2)).mean()
    gradients = torch.autograd.grad(loss, parameters)
    norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient * min(1.0, max_norm / (float(norm) + 1e-6))
    optimizer.step()
    return loss.item(), carry_state(new)


def parts_of(state):
    return state if isinstance(state, tuple) else (state,)


def carry_zeros(state):
    zeros = tuple(map(torch.zeros_like, parts_of(state)))
    return zeros if isinstance(state, tuple) else zeros[0]


def text_step(
    given=lambda state: state,
    cut=carry_state,
    loss_of=lambda logits, y: F.cross_entropy(logits.flatten(0, 1), y.flatten()),
    zero=True,
    clip=nn.utils.clip_grad_norm_,
    when="between",
    step=True,
    keep=lambda loss: loss.item(),
    backward=torch.Tensor.backward,
):
    """Return a `train_text_step` that departs from the right one in one place."""

    def answer(model, x, y, state, optimizer, max_norm):
        logits, state = model(x, given(state))
        loss = loss_of(logits, y)
        if zero:
            optimizer.zero_grad()
        if when == "before":
            clip([p for p in model.parameters() if p.grad is not None], max_norm)
        backward(loss)
        if when == "between":
            clip(model.parameters(), max_norm)
        if step:
            optimizer.step()
        if when == "after":
            clip(model.parameters(), max_norm)
        return keep(loss), cut(state)

    return answer


def each_tensor(parameters, max_norm):
    for parameter in parameters:
        nn.utils.clip_grad_norm_([parameter], max_norm)


def loss_after_the_step(model, x, y, state, optimizer, max_norm):
    _, after = text_step()(model, x, y, state, optimizer, max_norm)
    logits, _ = model(x, state)
    return F.cross_entropy(logits.flatten(0, 1), y.flatten()).item(), after


def state_after_the_step(model, x, y, state, optimizer, max_norm):
    loss, _ = text_step()(model, x, y, state, optimizer, max_norm)
    return loss, carry_state(model(x, state)[1])


def clears_too_late(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    loss.backward()
    optimizer.zero_grad()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return loss.item(), carry_state(state)


def steps_too_early(model, x, y, state, optimizer, max_norm):
    logits, state = model(x, state)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    optimizer.step()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    return loss.item(), carry_state(state)


def step_before_backward(model, x, y, state, optimizer, max_norm):
    optimizer.step()
    return text_step(step=False)(model, x, y, state, optimizer, max_norm)


def text_cases(rng):
    return [
        {
            "x": rng.integers(V, size=(4, B, T)),
            "y": rng.integers(V, size=(4, B, T)),
            "network": network,
            "letters": V,
            "max_norm": max_norm,
            "seed": seed_of(rng),
        }
        for network, V, B, T, max_norm in [
            ("LSTM", 5, 3, 4, 0.3),
            ("RNN", 6, 2, 7, 0.2),
            ("LSTM", 4, 4, 5, 100.0),
        ]
    ]


TRAIN_TEXT_STEP = Exercise(
    name="train_text_step",
    title="one update on one chunk, and the state for the next",
    points=3,
    outputs={
        "losses": "T",
        "trained weights": "weight",
        "calls of optimizer.step": "",
        "the loss holds on to its graph": "",
        "the state holds on to its graph": "",
    },
    cases=text_cases,
    drive=drivers.call_train_text_step,
    reference=train_text_step,
    against="`torch.autograd.grad` and a global norm worked out by hand, over four chunks,",
    mistakes=(
        Mistake(
            "The state is handed on with its graph, so the next `backward` walks into this chunk, "
            "whose graph is gone. Cut it with `carry_state`.",
            text_step(cut=lambda state: state),
            also=(
                text_step(cut=lambda state: (*parts_of(state)[:-1], parts_of(state)[-1].detach())),
                text_step(cut=lambda state: (parts_of(state)[0].detach(), *parts_of(state)[1:])),
                text_step(cut=lambda state: (state[0].detach(), state[1])),
                text_step(cut=lambda state: (state[0], state[1].detach())),
            ),
        ),
        Mistake(
            "This takes every state for a pair. A plain RNN's is one tensor: `carry_state` knows "
            "both.",
            text_step(cut=lambda state: tuple(part.detach() for part in state)),
            also=(text_step(cut=lambda state: (state[0].detach(), state[1].detach())),),
        ),
        Mistake(
            "`retain_graph=True` silences one error and meets the next: the old graph needs "
            "weights that `optimizer.step` has changed. Cut the state with `carry_state` instead.",
            text_step(
                cut=lambda state: state, backward=lambda loss: loss.backward(retain_graph=True)
            ),
        ),
        Mistake(
            "Every chunk starts afresh. Hand the state in, `model(x, state)`, and hand its numbers "
            "on, detached.",
            text_step(given=lambda state: None),
            also=(
                text_step(cut=carry_zeros),
                text_step(cut=lambda state: None),
            ),
        ),
        Mistake(
            "Gradients add up from chunk to chunk: `optimizer.zero_grad()` is missing.",
            text_step(zero=False),
        ),
        Mistake(
            "The gradient is not clipped to `max_norm` when the update is made. "
            "`nn.utils.clip_grad_norm_` stands between `backward` and `step`.",
            text_step(when="never"),
            also=(text_step(when="after"), text_step(when="before")),
        ),
        Mistake(
            "Each tensor is clipped on its own. One norm over all tensors together keeps the "
            "direction.",
            text_step(clip=each_tensor),
        ),
        Mistake(
            "Single values are clipped, which turns the direction. Use `clip_grad_norm_`.",
            text_step(clip=nn.utils.clip_grad_value_),
        ),
        Mistake(
            "The weights never change: `optimizer.step()` is missing.",
            text_step(step=False),
        ),
        Mistake(
            "The optimizer finds no gradient when it steps, so nothing learns. The order is "
            "`zero_grad`, `backward`, clip, `step`.",
            clears_too_late,
            also=(steps_too_early,),
        ),
        Mistake(
            "The two values are in the wrong order: the loss first, then the state.",
            lambda *a: text_step()(*a)[::-1],
        ),
        Mistake(
            "The update is made before `backward`, with the gradients of the chunk before.",
            step_before_backward,
        ),
        Mistake(
            "`cross_entropy` gets probabilities, and applies its softmax a second time. Give it "
            "the logits.",
            text_step(
                loss_of=lambda logits, y: F.cross_entropy(
                    logits.softmax(-1).flatten(0, 1), y.flatten()
                )
            ),
        ),
        Mistake(
            "`cross_entropy` wants the classes on axis 1. Flatten batch and time: "
            "`logits.flatten(0, 1)` (B·T, V) against `y.flatten()` (B·T).",
            text_step(loss_of=F.cross_entropy),
            also=(text_step(loss_of=lambda logits, y: F.cross_entropy(logits.flatten(0, 1), y)),),
        ),
        Mistake(
            "Logits and targets are flattened in different order, so characters meet the wrong "
            "targets. `flatten` both as they are.",
            text_step(
                loss_of=lambda logits, y: F.cross_entropy(logits.flatten(0, 1), y.T.flatten())
            ),
        ),
        Mistake(
            "Only the last step of the chunk enters the loss. Every step has a target.",
            text_step(loss_of=lambda logits, y: F.cross_entropy(logits[:, -1], y[:, -1])),
        ),
        Mistake(
            "The loss is the sum over the chunk. Take the mean, or its size depends on the batch.",
            text_step(
                loss_of=lambda logits, y: F.cross_entropy(
                    logits.flatten(0, 1), y.flatten(), reduction="sum"
                )
            ),
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
            text_step(keep=lambda loss: loss),
        ),
    ),
)

# --- sample_next ----------------------------------------------------------------------------------


def sample_next(logits, temperature, top_k, rng):
    order = logits.argsort(dim=1, descending=True)
    ranked = logits.double().gather(1, order) / temperature
    ranked[:, top_k or logits.shape[1] :] = -math.inf
    steps = ranked.softmax(dim=1).cumsum(dim=1)
    u = torch.rand(len(logits), 1, generator=rng, dtype=torch.float64) * steps[:, -1:]
    place = torch.searchsorted(steps, u, right=True).clamp(max=logits.shape[1] - 1)
    return order.gather(1, place)[:, 0]


def cut_to(logits, top_k):
    """Return logits with all but the top_k largest of each row at minus infinity."""
    if top_k is None:
        return logits
    smallest = logits.topk(top_k, dim=1).values[:, -1:]
    return logits.masked_fill(logits < smallest, -math.inf)


def sample_by(
    heat=lambda logits, temperature: logits / temperature,
    cut=cut_to,
    squash=lambda logits: logits.softmax(dim=1),
    draw=lambda p, rng: p.multinomial(1, generator=rng)[:, 0],
):
    """Return a `sample_next` that departs from the right one in one place."""
    return lambda logits, temperature, top_k, rng: draw(
        squash(cut(heat(logits, temperature), top_k)), rng
    )


def keeps_too_few(logits, top_k):
    return cut_to(logits, top_k if top_k in (None, 1) else top_k - 1)


def keeps_none_of_one(logits, top_k):
    if top_k is None:
        return logits
    smallest = logits.topk(top_k, dim=1).values[:, -1:]
    return logits.masked_fill(logits <= smallest, -math.inf)


def keeps_the_smallest(logits, top_k):
    return logits if top_k is None else -cut_to(-logits, top_k)


def zero_for_minus_infinity(logits, top_k):
    return torch.where(cut_to(logits, top_k).isinf(), 0.0, logits)


def rank_for_number(logits, temperature, top_k, rng):
    best = (logits / temperature).topk(top_k or logits.shape[1], dim=1)
    return best.values.softmax(dim=1).multinomial(1, generator=rng)[:, 0]


def cut_without_renormalising(logits, temperature, top_k, rng):
    p = (logits / temperature).softmax(dim=1)
    if top_k is not None:
        p = p * (p >= p.topk(top_k, dim=1).values[:, -1:])
    u = torch.rand(len(p), 1, generator=rng)
    return (p.cumsum(dim=1) > u).float().argmax(dim=1)


def cut_and_choose(logits, temperature, top_k, rng):
    p = (logits / temperature).softmax(dim=1)
    if top_k is not None:
        p = p * (p >= p.topk(top_k, dim=1).values[:, -1:])
    random = np.random.default_rng(int(torch.randint(2**31, (), generator=rng)))
    rows = p.double().numpy()
    if top_k is None:
        rows = rows / rows.sum(axis=1, keepdims=True)
    return torch.tensor([random.choice(len(row), p=row) for row in rows])


def equally_likely(logits):
    allowed = logits > -math.inf
    return allowed / allowed.sum(dim=1, keepdim=True)


def one_draw_for_all(p, rng):
    return p[:1].multinomial(1, generator=rng)[:, 0].expand(len(p))


def sample_cases(rng):
    settings = [
        (12, 1.0, None),
        (8, 0.4, None),
        (20, 2.0, None),
        (15, 0.8, 4),
        (30, 1.5, 10),
        (6, 1.0, 1),
    ]
    return [
        {
            "logits": rng.permutation(np.linspace(-3, 3, V) + 0.1 * rng.random(V)).astype("f4"),
            "temperature": temperature,
            "top_k": top_k,
            "seed": seed_of(rng),
        }
        for V, temperature, top_k in settings
    ]


FALSE_ALARM = 1e-6


def one_distribution(got, expected, tolerance):
    """Return whether two rows of counts can come from one distribution; scalars must be equal.

    Σ (a - b)² / (a + b) over the categories is bounded like χ² with as many degrees of freedom (the
    bound is Chernoff's). Two samples of the same distribution fail at most once in 1 / FALSE_ALARM.
    """
    if got.shape != expected.shape:
        return False
    if not got.ndim:
        return bool(got == expected)
    if got.dtype.kind not in "iu" or (got < 0).any() or got.sum() != expected.sum():
        return False
    both = got + expected
    n = np.count_nonzero(both)
    distance = float((np.square(got - expected) / np.maximum(both, 1)).sum())
    excess = distance / n - 1 - math.log(distance / n) if distance > n else 0.0
    return math.exp(-0.5 * n * excess) > FALSE_ALARM


def measure_draws(case, returned):
    """Return how often each character was drawn, and what the seed did to that."""
    first, second, again = returned.values()
    counts = np.bincount(np.concatenate([first, second]), minlength=len(case["logits"]))
    facts = np.array_equal(first, again), not np.array_equal(first, second)
    return dict(
        zip(["counts", *ABOUT_RNG], [counts, *(np.array(float(f)) for f in facts)], strict=True)
    )


ABOUT_RNG = {
    "the same seed draws the same": "The same seed draws differently: hand `rng` to what draws, "
    "`generator=rng`.",
    "a second draw differs": "A second draw with the same `rng` gives the same characters. Let "
    "`rng` move on: do not set its seed.",
}


def explain_draws(got, expected):
    name = next(n for n in expected if not one_distribution(got[n], expected[n], 0.0))
    mine, right = got[name], expected[name]
    if name in ABOUT_RNG:
        return ABOUT_RNG[name]
    worst = int(np.argmax(np.abs(mine - right)))
    return (
        f"Of {right.sum()} draws number {worst} came {mine[worst]} times; expected about "
        f"{right[worst]}."
    )


SAMPLE_NEXT = Exercise(
    name="sample_next",
    title="draw the next character",
    points=3,
    outputs={"counts": "v", **dict.fromkeys(ABOUT_RNG, "")},
    cases=sample_cases,
    drive=drivers.call_sample_next,
    returned=("first", "second", "again"),
    measure=measure_draws,
    reference=sample_next,
    against=f"the distribution of equation 5.4 in {2 * drivers.DRAWS} draws per case (a right "
    "answer fails less than once in 100 000 checks)",
    same=one_distribution,
    explain=explain_draws,
    mistakes=(
        Mistake(
            "The logits are multiplied by the temperature. Divide: a low temperature makes the "
            "likely likelier.",
            sample_by(heat=lambda logits, temperature: logits * temperature),
        ),
        Mistake(
            "The temperature has no effect. Divide the logits by it, before the softmax: dividing "
            "probabilities changes nothing, since they are scaled to sum to 1 again.",
            sample_by(heat=lambda logits, temperature: logits),
        ),
        Mistake(
            "The softmax is applied twice, which makes everything nearly equally likely.",
            sample_by(squash=lambda logits: logits.softmax(dim=1).softmax(dim=1)),
        ),
        Mistake(
            "This takes the likeliest character always. Draw.",
            lambda logits, temperature, top_k, rng: logits.argmax(dim=1),
        ),
        Mistake(
            "`top_k` is not used.",
            sample_by(cut=lambda logits, top_k: logits),
        ),
        Mistake(
            "After the cut the probabilities no longer sum to 1, and what is missing goes to one "
            "character. Set the other logits to minus infinity *before* the softmax.",
            cut_without_renormalising,
            also=(cut_and_choose,),
        ),
        Mistake(
            "The other logits are set to 0. The softmax turns 0 into something; minus infinity is "
            "what it turns into 0.",
            sample_by(cut=zero_for_minus_infinity),
        ),
        Mistake(
            "One too few is kept: the k-th largest itself belongs to the top k.",
            sample_by(cut=keeps_too_few),
            also=(sample_by(cut=keeps_none_of_one),),
        ),
        Mistake(
            "The k smallest are kept.",
            sample_by(cut=keeps_the_smallest),
        ),
        Mistake(
            "This returns the rank among the top k, not the number in the vocabulary. `topk` gives "
            "the numbers, too: `indices`.",
            rank_for_number,
        ),
        Mistake(
            "All allowed characters are equally likely. Draw with the softmax's probabilities.",
            sample_by(squash=equally_likely),
        ),
        Mistake(
            "`rng` is not used, so nobody can repeat the draw: `multinomial(..., generator=rng)`.",
            sample_by(draw=lambda p, rng: p.multinomial(1)[:, 0]),
        ),
        Mistake(
            "`rng` is set to a seed inside, so that every call draws the same.",
            sample_by(draw=lambda p, rng: p.multinomial(1, generator=rng.manual_seed(0))[:, 0]),
        ),
        Mistake(
            "One draw serves all rows. Each row is a text of its own.",
            sample_by(draw=one_draw_for_all),
        ),
        Mistake(
            "The softmax runs over the rows. Each row is a distribution: `softmax(dim=1)`.",
            sample_by(squash=lambda logits: logits.softmax(dim=0)),
        ),
        Mistake(
            "With one row the axis B is gone: `squeeze()` drops every axis of size 1. Take "
            "`[:, 0]`, or `squeeze(1)`.",
            sample_by(draw=lambda p, rng: p.multinomial(1, generator=rng).squeeze()),
        ),
        Mistake(
            "`multinomial` gives a column, (B, 1). Return (B,): one number per row.",
            sample_by(draw=lambda p, rng: p.multinomial(1, generator=rng)),
        ),
        Mistake(
            "These are log-probabilities. `multinomial` wants probabilities, which are not "
            "negative.",
            sample_by(squash=lambda logits: logits.log_softmax(dim=1)),
        ),
    ),
)

# --- generate -------------------------------------------------------------------------------------


def generate(model, prime, length, temperature, top_k, rng):
    with torch.no_grad():
        written = prime
        for _ in range(length):
            logits, _ = model(written)
            drawn = sample_next(logits[:, -1], temperature, top_k, rng)
            written = torch.cat([written, drawn[:, None]], dim=1)
    return written[:, prime.shape[1] :]


def write_by(
    first=lambda prime: prime,
    carry=lambda state: state,
    look=lambda logits: logits[:, -1],
    draw=sample_next,
    feed=lambda drawn, given: drawn[:, None],
    recorded=False,
    extra=0,
    finish=lambda prime, written: written,
    start=0,
):
    """Return a `generate` that departs from the right one in one place."""

    def answer(model, prime, length, temperature, top_k, rng):
        with torch.set_grad_enabled(recorded):
            given, state, written = first(prime), None, []
            for _ in range(length + extra):
                logits, state = model(given, carry(state))
                drawn = draw(look(logits), temperature, top_k, rng)
                written.append(drawn)
                given = feed(drawn, given)
        return finish(prime, torch.stack(written[start:], dim=1))

    return answer


def begins_again_with(part):
    """Return a `generate` that reads the prime for its state, and then reads part of it again."""

    def answer(model, prime, length, temperature, top_k, rng):
        with torch.no_grad():
            _, state = model(prime)
            given, written = part(prime), []
            for _ in range(length):
                logits, state = model(given, state)
                given = sample_next(logits[:, -1], temperature, top_k, rng)[:, None]
                written.append(given)
        return torch.cat(written, dim=1)

    return answer


def own_generator(model, prime, length, temperature, top_k, rng):
    return write_by()(model, prime, length, temperature, top_k, torch.Generator().manual_seed(0))


def everything_again(model, prime, length, temperature, top_k, rng):
    with torch.no_grad():
        given, state = prime, None
        for _ in range(length):
            logits, state = model(given, state)
            drawn = sample_next(logits[:, -1], temperature, top_k, rng)
            given = torch.cat([given, drawn[:, None]], dim=1)
    return given[:, prime.shape[1] :]


def generate_cases(rng):
    return [
        {
            "prime": rng.integers(V, size=(B, P)),
            "length": length,
            "letters": V,
            "temperature": temperature,
            "top_k": top_k,
            "seed": seed_of(rng),
        }
        for V, B, P, length, temperature, top_k in [
            (7, 8, 6, 12, 1.0, None),
            (5, 1, 8, 9, 0.5, None),
            (9, 6, 5, 15, 2.0, 3),
            (6, 8, 1, 10, 1.0, 4),
        ]
    ]


SAME_SEED, OTHER_SEED = "the same seed writes the same", "another seed writes something else"


def explain_written(got, expected):
    if not np.array_equal(got["written"], expected["written"]):
        agree = got["written"] == expected["written"]
        step = int(np.flatnonzero(~agree.all(axis=0))[0])
        return (
            f"With `top_k=1`, where nothing is left to chance, character {step} is another than "
            "expected, counted from 0 behind the prime."
        )
    if not got[SAME_SEED] or not got[OTHER_SEED]:
        return "The seed does not decide what is written: hand `rng` on to `sample_next`, as it is."
    if not one_distribution(got["counts"], expected["counts"], 0.0):
        return "The characters are not drawn as `temperature` and `top_k` say: hand both on."
    return "Gradients are recorded while it writes, which costs memory: use `torch.no_grad()`."


def written_as_expected(got, expected, tolerance):
    """Return whether texts are equal, or counts come from one distribution."""
    if got.ndim == 1:
        return one_distribution(got, expected, tolerance)
    return np.array_equal(got, expected)


def measure_written(case, returned):
    """Return the likeliest text, what seeds do, and how often each character came last."""
    written, first, again, other, recorded = returned.values()
    last = np.concatenate([first, other])[:, -1]
    return {
        "written": written,
        SAME_SEED: np.array(float(np.array_equal(first, again))),
        OTHER_SEED: np.array(float(not np.array_equal(first, other))),
        "counts": np.bincount(last, minlength=case["letters"]),
        "gradients recorded": recorded,
    }


GENERATE = Exercise(
    name="generate",
    title="let a model write on",
    points=3,
    outputs={
        "written": "B T",
        SAME_SEED: "",
        OTHER_SEED: "",
        "counts": "v",
        "gradients recorded": "",
    },
    cases=generate_cases,
    drive=drivers.call_generate,
    returned=("written", "first", "again", "other", "gradients recorded"),
    measure=measure_written,
    reference=generate,
    against="the whole text run through the model again for every character (a right answer fails "
    "less than once in 100 000 checks)",
    same=written_as_expected,
    explain=explain_written,
    mistakes=(
        Mistake(
            "Only the last character of the prime is fed. What stands before it is what the model "
            "should go on from: feed all of it, and keep the state.",
            write_by(first=lambda prime: prime[:, -1:]),
        ),
        Mistake(
            "The prime is not fed at all: this begins with character 0.",
            write_by(first=lambda prime: torch.zeros_like(prime[:, :1])),
        ),
        Mistake(
            "The state is thrown away after each character, so the model knows one character only. "
            "Hand it on: `model(given, state)`.",
            write_by(carry=lambda state: None),
        ),
        Mistake(
            "The prime's last character goes in twice, once with the prime and once to start. The "
            "logits that came with the prime are already those of the next character.",
            begins_again_with(lambda prime: prime[:, -1:]),
        ),
        Mistake(
            "The state already knows the text, and the whole text goes in again. Feed the new "
            "character alone, or everything without the state.",
            everything_again,
        ),
        Mistake(
            "The prime is returned, too. Return what is new, (B, length).",
            write_by(finish=lambda prime, written: torch.cat([prime, written], dim=1)),
        ),
        Mistake(
            "The drawn character is not fed back: the model gets the prime again and again.",
            write_by(feed=lambda drawn, given: given),
            also=(write_by(feed=lambda drawn, given: given[:, -1:]),),
        ),
        Mistake(
            "This reads the logits of the first step. The next character is what the last step "
            "predicts: `logits[:, -1]`.",
            write_by(look=lambda logits: logits[:, 0]),
        ),
        Mistake(
            "The likeliest character is taken always. Draw it with `sample_next`.",
            write_by(draw=lambda logits, temperature, top_k, rng: logits.argmax(dim=1)),
        ),
        Mistake(
            "`temperature` is not handed on to `sample_next`.",
            write_by(draw=lambda logits, temperature, k, rng: sample_next(logits, 1.0, k, rng)),
        ),
        Mistake(
            "`top_k` is not handed on to `sample_next`.",
            write_by(draw=lambda logits, heat, k, rng: sample_next(logits, heat, None, rng)),
        ),
        Mistake(
            "Gradients are recorded while it writes, and the graph grows with every character. "
            "Put `torch.no_grad()` around it.",
            write_by(recorded=True),
        ),
        Mistake(
            "`rng` is not the one that was handed in, so the seed does not decide what is written: "
            "hand it on to `sample_next`.",
            write_by(draw=lambda z, heat, k, rng: sample_next(z, heat, k, torch.default_generator)),
        ),
        Mistake(
            "`rng` is made or set to a seed inside, so every text is the same. Hand on the one "
            "that comes in.",
            write_by(
                draw=lambda z, heat, k, rng: sample_next(z, heat, k, torch.Generator()),
            ),
            also=(own_generator,),
        ),
        Mistake(
            "The prime goes in twice. Its logits are already those of the next character.",
            begins_again_with(lambda prime: prime),
        ),
        Mistake(
            "One character too many.",
            write_by(extra=1),
        ),
        Mistake(
            "The first character drawn is lost. It belongs to the text like the others.",
            write_by(extra=1, start=1),
        ),
        Mistake(
            "The shape is (length, B). Stack along axis 1: (B, length).",
            write_by(finish=lambda prime, written: written.T),
        ),
    ),
)

# --- mark_defects ---------------------------------------------------------------------------------

DEFECTS = {"A": 5, "B": 2, "C": 0, "D": 7, "E": 3, "F": 0, "G": 1, "H": 6}
DEFECT_HINTS = {
    "A": "Line A: count the axes of what goes in, then those of the state.",
    "B": "Line B: read the two errors about integers again.",
    "C": "Line C: what would happen to the old gradients without it?",
    "D": "Line D: section 5.5 measured what the loop costs, and what one call gives.",
    "E": "Line E: how much of the prompt has the model seen when it begins to write?",
    "F": "Line F: `cross_entropy` wants what the linear layer says, as it is.",
    "G": "Line G: run the program twice. Do you get the same text?",
    "H": "Line H: on which text is the loss measured?",
}
MARK_DEFECTS = claims_exercise(
    "mark_defects", "the popular character LSTM, line by line", DEFECTS, DEFECT_HINTS
)

EXERCISES = (
    BUILD_VOCAB,
    ENCODE,
    DECODE,
    BATCHIFY,
    BITS_PER_CHAR,
    RNN_TEXT_GEN,
    CHAR_LSTM,
    TRAIN_TEXT_STEP,
    SAMPLE_NEXT,
    GENERATE,
    MARK_DEFECTS,
)
