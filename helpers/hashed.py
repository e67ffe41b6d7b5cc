"""A character LSTM that is told what counting knows: the numbers of the last few characters."""

import torch
from torch import nn

ORDERS = (2, 3, 4)
BUCKETS = 4096


def hashed(ids: torch.Tensor, order: int, buckets: int = BUCKETS) -> torch.Tensor:
    """Return for each `order` characters that follow each other a number below `buckets`.

    ids (B, T), whole numbers; the result is (B, T - order + 1). Equal characters have equal
    numbers. Different ones may share a number, the more often, the fewer buckets there are: a
    network has to live with that, and needs no list of what was seen.
    Source: K. Weinberger et al., Feature hashing for large scale multitask learning, ICML (2009).
    """
    T = ids.shape[1] - order + 1
    numbers = torch.zeros_like(ids[:, :T])
    for k in range(order):
        numbers = (numbers * 1_000_003 + ids[:, k : k + T] + 1) % 2_147_483_647
    return numbers * 2_654_435_761 % 2**32 * buckets // 2**32  # Knuth's multiplicative hashing


class NGramLSTM(nn.Module):
    """An embedding of the character and of the last 2, 3 and 4, an LSTM, a linear layer.

    vocab_size, embedding_size, hidden_size  V, E and H
    dropout  share of the LSTM's outputs that the linear layer does not get in training, and, twice
             as often, of the embeddings of the last characters

    `forward` maps ids (B, T) and a state to logits (B, T, V) and a new state. The state is a pair
    (h, c) as an LSTM's; c (2, B, H) has a second row, which holds the last three characters.
    """

    def __init__(
        self, vocab_size: int, embedding_size: int, hidden_size: int, *, dropout: float = 0.0
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.ngrams = nn.ModuleList(nn.Embedding(BUCKETS, embedding_size) for _ in ORDERS)
        self.lstm = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, vocab_size)
        self.drop, self.drop_ngrams = nn.Dropout(dropout), nn.Dropout(2 * dropout)
        for weight in self.ngrams.parameters():
            nn.init.normal_(weight, std=0.02)  # small: at first the character counts

    def forward(self, ids, state=None):
        if state is None:
            zeros = torch.zeros(1, len(ids), self.lstm.hidden_size, device=ids.device)
            state = zeros, torch.cat([zeros, zeros])
        h, (c, kept) = state[0], state[1]
        keeps = max(ORDERS) - 1
        seen = torch.cat([kept[:, :keeps].long(), ids], dim=1)
        x = self.embedding(ids)  # (B, T, E)
        for order, table in zip(ORDERS, self.ngrams, strict=True):
            x = x + self.drop_ngrams(table(hashed(seen, order)[:, -ids.shape[1] :]))
        states, (h, c) = self.lstm(x, (h, c[None].contiguous()))
        kept = torch.zeros_like(c)
        kept[0, :, :keeps] = seen[:, -keeps:].to(c)
        return self.fc(self.drop(states)), (h, torch.cat([c, kept]))
