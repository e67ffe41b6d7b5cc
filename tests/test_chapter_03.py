"""What chapter 3 promises of its solutions, beyond random cases: every setting, every order."""

import itertools

import pytest
import torch
from torch import nn

from tests import chapters

(PATH,) = (p for p in chapters.SOLUTIONS if p.stem == "03_lstm_gru")
SOLVED = chapters.define(chapters.read(PATH))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_count_parameters_equals_the_module_in_every_setting(kind):
    projections = (0, 1, 3) if kind == "LSTM" else (0,)
    settings = itertools.product((1, 5), (1, 4), (1, 2, 3), (False, True), (False, True))
    for (D, H, layers, both, bias), P in itertools.product(settings, projections):
        if P >= H:
            continue
        projected = {"proj_size": P} if P else {}
        module = getattr(nn, kind)(D, H, layers, bias=bias, bidirectional=both, **projected)
        count = SOLVED["count_parameters"](kind, D, H, layers, both, bias, P)
        assert count == sum(p.numel() for p in module.parameters()), (D, H, layers, both, bias, P)


@pytest.mark.parametrize("layers", [1, 2])
def test_encode_padded_equals_each_sequence_alone_in_every_order(layers):
    torch.manual_seed(0)
    gru = nn.GRU(3, 4, layers, batch_first=True, bidirectional=True)
    for lengths in itertools.product((1, 2, 5), repeat=3):
        sequences = [torch.randn(n, 3) for n in lengths]
        x = nn.utils.rnn.pad_sequence(sequences, batch_first=True)
        encodings = SOLVED["encode_padded"](gru, x, torch.tensor(lengths))
        for encoding, sequence in zip(encodings, sequences, strict=True):
            alone = gru(sequence)[1][-2:].flatten()
            assert torch.allclose(encoding, alone, atol=1e-6), lengths
